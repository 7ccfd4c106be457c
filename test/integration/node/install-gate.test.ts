// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Homelab } from '../../../qemu/homelab.ts';
import { json, report } from './ask-node.ts';
import { judge, onEnrolledNode, spoil, ukiAfterUpdate } from './attested-node.ts';
import { SCENARIO_MS } from './kind-of-node.ts';

/** A bundle of version 2 whose signature covers what its image leads to: what a distribution ships. */
async function tellingBundle(homelab: Homelab): Promise<string> {
  const { ukis } = await homelab.bootFiles('2');
  const { stdout } = await homelab.lamactl(['attest', 'learn', '--uki', ...ukis, '--bundle-metadata']);
  const target = path.join(homelab.folder, 'telling.raucb');
  return homelab.bundle(await homelab.image('2'), { target, format: 'verity', metadata: String(stdout) });
}

const verdict = async (homelab: Homelab) => (await judge(homelab)).verdict;

describe('an update that needs attestation', { timeout: SCENARIO_MS }, () => {
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
      const install = ['install', '--on-node', bundle, '--require-attestation', '--expect', await ukiAfterUpdate(homelab, '2')];
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
        await ukiAfterUpdate(homelab, '2'),
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
        await ukiAfterUpdate(homelab, '3'),
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
