// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { json, report } from './ask-node.ts';
import { QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { onNode } from './scenario.ts';

// The mount itself needs udev and vfat, which a virtual machine has: here the folder is as lamadist-media@.service shows it.
describe('a bundle on a removable medium', { timeout: SCENARIO_MS }, () => {
  it("is listed, waits for the administrator's word, and is installed from there", () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      const path = '/run/lamadist-media/sdb1/v2.raucb';
      await node.shell(`mkdir -p /run/lamadist-media/sdb1 && cp ${bundle} ${path}`, QUICK);
      const { nodes } = await json<{ nodes: { bundles: { path: string }[] }[] }>(homelab, 'bundles');
      expect(nodes[0]?.bundles).toMatchObject([{ path }]);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect((await homelab.lamactl(['install', '--on-node', path])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject({ version: '2', booted: 'B' });
    }));
});
