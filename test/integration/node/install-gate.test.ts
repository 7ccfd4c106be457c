// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import type { Homelab } from '../../../qemu/homelab.ts';
import { NODE_TCTI } from '../../../qemu/namespace/tpm.ts';
import { json, onNode, QUICK, report, SCENARIO_MS, type Scenario } from './scenario.ts';
import { ukiFile } from './uki-file.ts';

/** A bundle of version 2 whose signature covers what its image leads to: what a distribution ships. */
async function tellingBundle(homelab: Homelab): Promise<string> {
  const { stdout } = await homelab.lamactl(['attest', 'learn', '--uki', await ukiFile(homelab, '2'), '--bundle-metadata']);
  const target = path.join(homelab.folder, 'telling.raucb');
  return homelab.bundle(await homelab.image('2'), { target, format: 'verity', metadata: String(stdout) });
}

const onEnrolledNode = (test: (scenario: Scenario) => Promise<void>) =>
  onNode({}, async (scenario) => {
    const { homelab } = scenario;
    expect((await homelab.lamactl(['attest', 'enroll', '--accept-new'])).exitCode).toBe(14);
    expect((await homelab.lamactl(['attest', 'learn', '-n', 'attic'])).exitCode).toBe(14);
    expect((await homelab.lamactl(['attest', 'learn', '-n', 'attic', '--uki', await ukiFile(homelab, '1')])).exitCode).toBe(0);
    await test(scenario);
  });

async function spoil(node: VirtualNode): Promise<void> {
  await node.shell(`TPM2TOOLS_TCTI=${NODE_TCTI} tpm2_pcrextend 4:sha256=${'1'.repeat(64)}`, QUICK);
}

const verdict = async (homelab: Homelab) => (await json<{ nodes: { verdict: string }[] }>(homelab, 'attest', 'run')).nodes[0]?.verdict;

describe('an update that needs attestation, measured by the launcher', { timeout: SCENARIO_MS }, () => {
  it('is done when the node proves to run the image that the bundle tells of, and nobody has to say so', () =>
    onEnrolledNode(async ({ homelab, bundle }) => {
      const expected = ['--require-attestation', '--expect', await tellingBundle(homelab)];
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle, ...expected]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('committed') });
      expect(await verdict(homelab)).toBe('TRUSTED (first use)');

      expect((await homelab.lamactl(['rollback'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      const { all: shown } = await homelab.lamactl(['attest', 'run']);
      expect(shown).toMatch(/TRUSTED \(first use\).*it runs the image before the last update/);
    }));

  it('is seen to its end by the same command when lamactl was gone meanwhile', () =>
    onEnrolledNode(async ({ homelab, bundle }) => {
      const install = ['install', '--on-node', bundle, '--require-attestation', '--expect', await ukiFile(homelab, '2')];
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await verdict(homelab)).toBe('REJECTED');
      const { exitCode, all } = await homelab.lamactl(install);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('committed') });
      expect(await verdict(homelab)).toBe('TRUSTED (first use)');
      const { nodes } = await json<{ nodes: { updates: object[] }[] }>(homelab, 'history');
      expect(nodes[0]?.updates).toHaveLength(1);
    }));

  it('does not begin on a node that does not prove what it runs', () =>
    onEnrolledNode(async ({ homelab, node, bundle }) => {
      await spoil(node);
      const { exitCode, all } = await homelab.lamactl([
        'install',
        '--on-node',
        bundle,
        '--require-attestation',
        '--expect',
        await ukiFile(homelab, '2'),
      ]);
      expect({ exitCode, all }).toMatchObject({
        exitCode: 16,
        all: expect.stringMatching(/Cannot trust attic before the update: it is REJECTED \(log-mismatch\).*\n.*NOT_TRUSTED/),
      });
      expect(await report(homelab)).toMatchObject({ version: '1', slots: { B: expect.not.stringContaining('2') } });
    }));

  it('is not done when the node runs something else afterwards than was expected', () =>
    onEnrolledNode(async ({ homelab, bundle }) => {
      const { exitCode, all } = await homelab.lamactl([
        'install',
        '--on-node',
        bundle,
        '--require-attestation',
        '--expect',
        await ukiFile(homelab, '3'),
      ]);
      expect({ exitCode, all }).toMatchObject({
        exitCode: 16,
        all: expect.stringMatching(/Cannot trust attic after the update: it is REJECTED \(pcr-value\)/),
      });
      expect(await report(homelab)).toMatchObject({ version: '2' });
      // Nothing was learnt of it.
      expect(await verdict(homelab)).toBe('REJECTED');
    }));
});
