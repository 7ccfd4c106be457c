// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Homelab } from '../../qemu/homelab.ts';
import { denials } from '../integration/node/denials.ts';
import { agentAnswers, BOOT, COMMITTED, json, onNode, report, SCENARIO_MS, shellOk } from '../integration/node/scenario.ts';

interface Judged {
  readonly verdict: string;
  readonly image?: string;
  readonly reason?: string;
  readonly found?: string;
}

/** The TPM's maker and the firmware are believed at first use, and nothing else is. */
const TRUSTED = { verdict: 'TRUSTED (first use)', believed: ['endorsement key', 'PCR 0', 'PCR 2', 'PCR 7'] };

async function judge(homelab: Homelab): Promise<Judged> {
  return (await json<{ nodes: Judged[] }>(homelab, 'attest', 'run', '--timeout', '120s')).nodes[0]!;
}

/** Predicts what an image leads to from its files alone. */
async function expectImage(homelab: Homelab, version: string, ...options: string[]): Promise<void> {
  const { path: folder } = await homelab.image(version);
  const ukis = ['lamadist-a.efi', 'lamadist-b.efi'].map((name) => path.join(folder, name));
  expect(await homelab.lamactl(['attest', 'learn', '-n', 'attic', '--uki', ...ukis, ...options])).toMatchObject({ exitCode: 0 });
}

describe('attestation of a machine whose firmware measures', { timeout: SCENARIO_MS }, () => {
  it('predicts a boot from the image alone, follows an update without a human, knows the image that a rollback leads to, and SELinux denies nothing', () =>
    onNode({ fresh: true }, async ({ homelab, node, bundle }) => {
      expect((await homelab.lamactl(['attest', 'enroll', '--accept-new', '--timeout', '120s'])).exitCode).toBe(14);
      expect((await homelab.lamactl(['attest', 'learn', '-n', 'attic', '--timeout', '120s'])).exitCode).toBe(14);

      // A fresh disk starts through the loader of the removable path; every later boot is the firmware's own.
      const loader = path.join((await homelab.image('1')).path, 'fallback.efi');
      await expectImage(homelab, '1');
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value', pcr: 4 });
      await expectImage(homelab, '1', '--loader', loader);
      expect(await judge(homelab)).toEqual({ node: 'attic', time: expect.any(String), ...TRUSTED });
      await expectImage(homelab, '1', '--add');

      const gate = ['--require-attestation', '--expect', homelab.bundlePath('2'), '--timeout', '120s'];
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle, ...gate]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('committed') });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect(await judge(homelab)).toEqual({ node: 'attic', time: expect.any(String), ...TRUSTED });

      expect((await homelab.lamactl(['rollback', '--message', 'it hums'])).exitCode).toBe(0);
      await node.waitForBoot(BOOT);
      await agentAnswers(homelab);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect(await judge(homelab)).toMatchObject({ ...TRUSTED, image: 'previous' });
      const { all: table } = await homelab.lamactl(['attest', 'run', '--timeout', '120s']);
      expect(table).toContain('it runs the image before the last update');
      // All of it on one node, from its first boot on: install, reboot, gate, commit, rollback, attestation.
      expect(await denials(node)).toEqual([]);
      // Root has read the journal by now, which is nothing that IMA measures.
      expect(await shellOk(node, 'grep -c " /var/log/" /sys/kernel/security/ima/ascii_runtime_measurements || true')).toBe('0\n');
    }));
});
