// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { comparePcrs } from '../../../../../agent/lamactl/attest/compare.ts';
import { writeEvidence } from '../../../../../agent/lamactl/attest/evidence.ts';
import { reported } from '../../../../../agent/lamactl/attest/reported.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { printable } from '../../../../../agent/shared/printable.ts';
import { event, GOOD_BOOT, GOOD_EVENTS, GOOD_FILES, GOOD_PHASES, writeEventLog } from '../../../../../qemu/measured-boot/measured-boot.ts';
import { forge } from '../../../fakes/attest/forged-tpm.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const good = forge();
const state = (compared: ReturnType<typeof comparePcrs>, pcr: number) => compared[pcr];

describe('what a policy expects, beside what a node reported', () => {
  it('has nothing behind it where all is well', () => {
    const compared = comparePcrs(good.evidence, good.policy, undefined);
    expect(compared.map(({ state }) => state)).not.toContain('not as expected');
    expect(compared.flatMap(({ events }) => events)).toEqual([]);
    expect(state(compared, 12)).toMatchObject({ from: 'empty', state: 'as expected' });
    expect(state(compared, 10)).toMatchObject({ state: 'explained' });
  });

  it('has the events of a PCR behind it that is not as expected, and marks what is new and what is gone', () => {
    const events = [
      ...GOOD_EVENTS.filter(({ pcr }) => pcr !== 2),
      event(2, 0x80000004, 'which', 'another option ROM'),
      event(2, 4, Buffer.alloc(4)),
    ];
    const { evidence } = forge({ boot: { ...GOOD_BOOT, events } });
    const [, , second] = comparePcrs(evidence, good.policy, good.evidence);
    expect(second).toMatchObject({ state: 'not as expected', expected: [good.evidence.pcr_values['2']?.toString('hex')] });
    expect(second?.events.map(({ mark, text }) => `${mark} ${text}`)).toEqual(['new which', ' 4 bytes', 'gone which option ROM']);
  });

  it('has the events of every log', () => {
    const { evidence } = forge({ evidence: { event_log: writeEventLog(GOOD_EVENTS.slice(1)) } });
    expect(state(comparePcrs(evidence, good.policy, undefined), 0)).toMatchObject({ state: 'not explained' });
    const policy = {
      ...good.policy,
      pcrs: Object.fromEntries(['10', '11'].map((pcr) => [pcr, { from: 'operator' as const, values: ['11'.repeat(32)] }])),
    };
    const compared = comparePcrs(good.evidence, policy, undefined);
    expect(state(compared, 10)?.events.map(({ log }) => log)).toEqual(GOOD_FILES.map(() => 'ima'));
    expect(state(compared, 11)?.events.filter(({ log }) => log === 'userspace')).toHaveLength(GOOD_PHASES.length - 1);
  });

  it('is shown of saved evidence without a context', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'evidence'), writeEvidence(good.evidence));
    const pcrs = { ...good.policy.pcrs, '4': { from: 'image', values: ['22'.repeat(32)] } };
    await writeFile(join(folder, 'policy'), JSON.stringify({ ...good.policy, pcrs }));
    const world = new FakeWorld({}, certificates);
    world.env.LAMACTL_CONFIG = '/nonexistent';
    expect(await world.run(`attest show --evidence ${folder}/evidence --policy ${folder}/policy`)).toBe(16);
    expect(world.stdout.text).toMatch(/^4 +not as expected +image +[0-9a-f]{64}$/m);
    expect(world.stdout.text).toMatch(/^Behind PCR 4:$/m);
    // In the form in which a policy would expect it.
    expect(world.stdout.text).toContain(`\nTPM firmware  ${reported(good.evidence).tpmFirmware}\n`);
    expect(world.stdout.text).toMatch(/^TPM clock +\d+ ms, reset \d+ and restarted \d+ times$/m);
    expect(world.stdout.text).toMatch(/^Secure Boot +on$/m);
    for (const authority of reported(good.evidence).authorities) expect(world.stdout.text).toContain(authority);
    expect(reported(good.evidence).authorities).not.toEqual([]);
    expect(await world.run(`attest show --evidence ${folder}/evidence`)).toBe(2);
  });
});

describe('lamactl attest show', () => {
  it('ends as "attest run" does where a node does not answer, and says what to do', async () => {
    const exits = async (node: FakeNode) => {
      const world = new FakeWorld({ attic: node }, certificates);
      const [run, show] = [await world.run('attest run'), await world.run('attest show')];
      expect(show).toBe(run);
      return { exit: show, said: world.stderr.text };
    };
    expect(await exits(deadNode(new Failure('PERMISSION_DENIED', 'Cannot quote: the role reader may not')))).toMatchObject({
      exit: 6,
      said: expect.stringMatching(/the role reader may not\n.*role/),
    });
    expect(await exits(new FakeNode())).toMatchObject({ exit: 15 });
  });
});

it('shows what is trusted though its log has a variable that is none, where no policy asks for Secure Boot', async () => {
  const folder = await temporaryFolder();
  const odd = event(7, 0x800000e0, 'no variable');
  const { evidence, policy } = forge({ boot: { ...GOOD_BOOT, events: [...GOOD_EVENTS, odd] }, policy: { secure_boot: 'any' } });
  await writeFile(join(folder, 'evidence'), writeEvidence(evidence));
  const pcrs = { ...policy.pcrs, 7: { from: 'operator', values: [evidence.pcr_values['7']?.toString('hex')] } };
  await writeFile(join(folder, 'policy'), JSON.stringify({ ...policy, pcrs }));
  const world = new FakeWorld({}, certificates);
  expect(await world.run(`attest verify --evidence ${folder}/evidence --policy ${folder}/policy`)).toBe(0);
  expect(await world.run(`attest show --evidence ${folder}/evidence --policy ${folder}/policy`)).toBe(0);
  expect(world.stdout.text).toMatch(/^Secure Boot +unknown$/m);
});

it('refuses a policy for nodes that have their own', async () => {
  const world = new FakeWorld({ attic: new FakeNode() }, certificates);
  expect(await world.run('attest show -n attic --policy attic.yaml')).toBe(2);
});

it('has nothing in any form that drives a terminal, whatever a file on the node is called', () => {
  const evil = '\u001b]0;owned\u0007\u009b2J\u202eTRUSTED';
  const { evidence } = forge({ boot: { ...GOOD_BOOT, files: [...GOOD_FILES, { path: evil, hash: '66'.repeat(32) }] } });
  const policy = { ...good.policy, pcrs: { 10: { from: 'operator' as const, values: ['11'.repeat(32)] } } };
  const texts = state(comparePcrs(evidence, policy, undefined), 10)?.events.map(({ text }) => text) ?? [];
  expect(texts.some((text) => text.includes('owned'))).toBe(true);
  expect(texts).toEqual(texts.map(printable));
});

describe('lamactl attest run', () => {
  it('judges again and again until Ctrl-C, and is fine only for what is trusted', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    const sleep = world.clock.sleep.bind(world.clock);
    let rounds = 0;
    world.clock.sleep = async (ms, signal) => {
      rounds += 1;
      if (rounds === 3) world.interrupt();
      await sleep(ms, signal);
    };
    expect(await world.run('attest run --watch 60s -o json')).toBe(15);
    expect(world.events()).toHaveLength(3);
    expect(world.events()[0]).toMatchObject({ type: 'verdict', node: 'attic', verdict: 'UNATTESTED' });
  });

  it('prints a line for each node where lines are asked for', async () => {
    const world = new FakeWorld({ attic: new FakeNode(), cellar: new FakeNode() }, certificates);
    expect(await world.run('attest run --all -o jsonl')).toBe(15);
    expect(world.events().map(({ node, type }) => [node, type])).toEqual([
      ['attic', undefined],
      ['cellar', undefined],
    ]);
  });
});
