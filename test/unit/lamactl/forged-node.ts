// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Policy } from '../../../agent/lamactl/attest/policy.ts';
import type { NodeConnection } from '../../../agent/lamactl/node/node.ts';
import { hashed } from '../../../qemu/measured-boot/measured-boot.ts';
import { type Forgery, forge } from '../fakes/attest/forged-tpm.ts';
import { FakeNode } from './fake-node.ts';
import { FakeWorld, worldCertificates } from './fake-world.ts';

/** What a node answers whose TPM was told of such a boot. */
export function attesting(forgery: Forgery = {}): Pick<NodeConnection, 'tpmKeys' | 'quote'> {
  const session = { serverCertificateSha256: hashed('sha256', 'server'), clientCertificateSha256: hashed('sha256', 'client') };
  return {
    tpmKeys: async () => {
      const { ek_certificate, ek_public, ak_public } = forge(forgery).evidence;
      return { ekCertificate: ek_certificate, ekPublic: ek_public, akPublic: ak_public };
    },
    quote: async (nonce, bank) => {
      const { evidence } = forge(forgery, { nonce, bank, ...session });
      const { attest, signature, pcr_values, event_log: firmware, userspace_log: userspace, ima_log: ima } = evidence;
      return { attest, signature, pcrValues: Object.values(pcr_values), logs: { firmware, userspace, ima }, ...session };
    },
  };
}

/** An administrator with one node, attic, and a folder of their own for what is expected of it. */
export async function homeOf(answers: Partial<NodeConnection>, policy?: Policy) {
  const certificates = worldCertificates();
  const node = new FakeNode();
  node.answers = answers;
  const folder = join(certificates.folder, 'attestation/home');
  const file = (name: string) => join(folder, name);
  await mkdir(folder, { recursive: true });
  if (policy) await writeFile(file('attic.yaml'), JSON.stringify(policy));
  let running: FakeWorld | undefined;
  const run = async (line: string) => {
    const world = new FakeWorld({ attic: node }, certificates);
    running = world;
    return { exit: await world.run(line), world, text: world.stdout.text, errors: world.stderr.text };
  };
  return {
    node,
    file,
    run,
    /** Ctrl-C. */
    interrupt: () => running?.interrupt(),
    judge: async (options = '') => {
      const { exit, world } = await run(`attest run -o json${options}`);
      const [judged] = world.json<{ nodes: { verdict: string }[] }>().nodes;
      return { exit, ...judged };
    },
    policy: () => readFile(file('attic.yaml'), 'utf8'),
    remove: () => rm(certificates.folder, { recursive: true, force: true }),
  };
}
