// SPDX-License-Identifier: Apache-2.0
// Nodes that lie: each attack over the real protocol, with mutual TLS, against lamactl as an administrator runs it.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttestationServiceParts } from '../../../../agent/daemon/rpc/services/attestation-service.ts';
import type { Challenge } from '../../../../agent/lamactl/attest/challenge.ts';
import type { Question } from '../../../../agent/lamactl/attest/verify.ts';
import { processWorld } from '../../../../agent/lamactl/process-world.ts';
import { lamactl } from '../../../../agent/lamactl/program.ts';
import { forge } from '../../../unit/fakes/attest/forged-tpm.ts';
import { ATTACKS } from '../../../unit/lamactl/attest/attacks.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

/** lamactl writes these itself, so that no node can lie in them; what is left of the attack is evidence that holds. */
const NOT_ON_THE_WIRE: ReadonlySet<string> = new Set(['PCR values of SHA-1', 'values that are said to be of another bank']);
/** lamactl asks its own question over its own session: what answers another is an old or a relayed quote. */
const ANOTHER_CHALLENGE: ReadonlySet<string> = new Set([
  'evidence of an earlier question',
  'evidence from a session with another server certificate',
  'evidence from a session with another client certificate',
]);

let answer: (challenge?: Challenge) => Question = () => forge();

/** Hands out what the attack wants, in the place of a TPM's answers. */
const LIAR: AttestationServiceParts['attester'] = {
  identity: async () => {
    const { ek_certificate, ek_public, ak_public } = answer().evidence;
    return { ekCertificate: ek_certificate, ekPublic: ek_public, akPublic: ak_public };
  },
  activate: async () => Buffer.alloc(32),
  evidence: async (bank, session) => {
    const { evidence } = answer({ ...session, bank });
    const { attest, signature, pcr_values, event_log: firmware, userspace_log: userspace, ima_log: ima } = evidence;
    return { quote: { attest, signature, pcrValues: Object.values(pcr_values) }, logs: { firmware, userspace, ima } };
  },
};

describe('a node that lies', { timeout: 60_000 }, () => {
  let server: AgentServer;
  let folder: string;

  beforeAll(async () => {
    server = await startAgentServer(LIAR);
    folder = await mkdtemp(join(tmpdir(), 'lamadist-hostile-'));
    const { certificate, key } = await server.pki.client('operator');
    await writeFile(join(folder, 'ca.pem'), server.pki.agentAuthority.certificate);
    await writeFile(join(folder, 'me.pem'), certificate);
    await writeFile(join(folder, 'me.key'), key, { mode: 0o600 });
    const context = { ca: 'ca.pem', certificate: 'me.pem', key: 'me.key', nodes: { attic: { address: server.address } } };
    await writeFile(join(folder, 'config.yaml'), JSON.stringify({ contexts: { home: context } }));
    await mkdir(join(folder, 'attestation/home'), { recursive: true });
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What lamactl says of the node, with the policy that the attack is made for. */
  async function judged(question: typeof answer) {
    answer = question;
    await writeFile(join(folder, 'attestation/home/attic.yaml'), JSON.stringify(question().policy));
    for (const kept of ['counters', 'trusted']) await rm(join(folder, `attestation/home/attic.${kept}.json`), { force: true });
    const printed: string[] = [];
    const stdout = { isTerminal: false, columns: 100, rows: 0, write: (text: string) => void printed.push(text) };
    const world = { ...processWorld(), stdout, env: { LAMACTL_CONFIG: join(folder, 'config.yaml') } };
    const exit = await lamactl(['attest', 'run', '-o', 'json'], world);
    return { exit, ...(JSON.parse(printed.join('')) as { nodes: { verdict: string; reason?: string }[] }).nodes[0] };
  }

  it('is trusted when it does not', async () => {
    expect(await judged((challenge) => forge({}, challenge))).toMatchObject({ exit: 0, verdict: 'TRUSTED' });
  });

  it.each(ATTACKS.filter(({ what }) => !NOT_ON_THE_WIRE.has(what) && !ANOTHER_CHALLENGE.has(what)))(
    'is rejected for $reason: $what',
    async ({ question, reason }) => {
      expect(await judged(question)).toMatchObject({ exit: 16, verdict: 'REJECTED', reason });
    },
  );

  it.each(ATTACKS.filter(({ what }) => ANOTHER_CHALLENGE.has(what)))('is rejected for extra-data: $what', async () => {
    // Whatever the question, the answer is the same.
    expect(await judged(() => forge())).toMatchObject({ exit: 16, verdict: 'REJECTED', reason: 'extra-data' });
  });

  it.each(ATTACKS.filter(({ what }) => NOT_ON_THE_WIRE.has(what)))('cannot say over the protocol: $what', async ({ question }) => {
    expect(await judged(question)).toMatchObject({ verdict: 'TRUSTED' });
  });

  it('is rejected when it passes on the quote of a good node from another session', async () => {
    const relay = (challenge?: Challenge) => forge({}, challenge && { ...challenge, serverCertificateSha256: Buffer.alloc(32, 9) });
    expect(await judged(relay)).toMatchObject({ exit: 16, reason: 'extra-data' });
  });
});
