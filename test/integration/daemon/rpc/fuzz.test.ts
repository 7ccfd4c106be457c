// SPDX-License-Identifier: Apache-2.0
// Messages that the grammar of the protos allows, and many that nothing allows, against the bundled daemon over mutual TLS.
// RPC_FUZZ_MESSAGES says how many: `npm run fuzz` sends 100,000.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEAST_ROLE } from '../../../../agent/daemon/access/roles.ts';
import { checkAuditChain } from '../../../../agent/shared/audit-chain.ts';
import { ask, connect } from '../../fakes/agent-client.ts';
import { type Daemon, startDaemon } from '../../fakes/real-daemon.ts';
import { Attacker } from '../../fuzz/attacker.ts';
import { RPCS } from '../../fuzz/grammar.ts';
import { type FuzzedCall, fuzzedCall, rawConnection } from '../../fuzz/malformed.ts';

const MESSAGES = Number(process.env.RPC_FUZZ_MESSAGES ?? 1_000);
const BATCH = 250;
const MEMORY_BOUND_BYTES = 160 << 20;
const TIMEOUT_MS = 30_000 + MESSAGES * 20;

let daemon: Daemon;
let attackers: readonly Attacker[];
let clearly: Awaited<ReturnType<typeof connect>>;
beforeAll(async () => {
  daemon = await startDaemon();
  clearly = await connect(daemon, 'admin');
  attackers = await Promise.all((['admin', 'admin', 'operator', 'reader', 'monitor'] as const).map((role) => Attacker.of(daemon, role)));
});
afterAll(async () => {
  for (const each of attackers ?? []) each.close();
  clearly?.close();
  await daemon?.stop();
});

const answers = new Map<string, number>();

/** Each call ends, and with a word that says what is wrong: never with one that says that the agent did not expect it. */
async function attack(call: FuzzedCall, index: number): Promise<void> {
  const attacker = attackers[index % attackers.length] as Attacker;
  const { ended, failure } = await attacker.call(call);
  const kind = `${ended} ${failure.split(':', 1)[0]}`;
  answers.set(kind, (answers.get(kind) ?? 0) + 1);
  expect(failure, `the answer to ${JSON.stringify(call)}`).not.toMatch(/^INTERNAL: Cannot go on/);
  expect(daemon.running(), 'the daemon runs').toBe(true);
}

const healthy = () => ask(clearly.health, 'check', { service: '' });

describe('the agent, whatever is sent to it', { timeout: TIMEOUT_MS }, () => {
  it('is asked for every RPC that has a role', () => {
    expect(new Set(RPCS.map(({ path }) => path))).toEqual(new Set(Object.keys(LEAST_ROLE)));
  });

  it('ends every call with a word of its own', async () => {
    const batches = fc.asyncProperty(fc.array(fuzzedCall(RPCS), { minLength: BATCH, maxLength: BATCH }), async (calls) => {
      await Promise.all(calls.map(attack));
      await healthy();
    });
    await fc.assert(batches, { numRuns: Math.ceil(MESSAGES / BATCH), endOnFailure: true });
    const counted = [...answers].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `${count} ${kind.trim()}`);
    process.stderr.write(`fuzz: calls by their answer: ${counted.join(', ')}\n`);
  });

  it('outlives connections that speak no HTTP/2', async () => {
    const [attacker] = attackers as [Attacker];
    const batches = fc.asyncProperty(fc.array(rawConnection, { minLength: 20, maxLength: 20 }), async (connections) => {
      await Promise.all(connections.map((bytes) => attacker.raw(bytes)));
      await healthy();
    });
    await fc.assert(batches, { numRuns: Math.ceil(MESSAGES / 500) });
  });

  it('has neither grown, nor lost a line of its audit log, nor said that it was surprised', async () => {
    await healthy();
    expect(daemon.memory().peakBytes).toBeLessThan(MEMORY_BOUND_BYTES);
    // Of many calls the log was put aside since; what it begins with follows a line that is there.
    expect((await checkAuditChain((await daemon.auditLog()).split('\n'))).breaks).toEqual([]);
    expect(
      daemon.lines
        .join('')
        .split('\n')
        .filter((line) => /TypeError|RangeError|unhandled|"fatal"/.test(line)),
    ).toEqual([]);
  });
});
