// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { COMMITTED, json, onNode, QUICK, reaches, report, SCENARIO_MS } from './scenario.ts';

describe("a bundle on the administrator's own disk", { timeout: SCENARIO_MS }, () => {
  it('is given to the node through the connection of lamactl, and committed', () =>
    onNode({}, async ({ homelab, node }) => {
      const { exitCode, all } = await homelab.lamactl(['install', homelab.bundlePath('2')]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect((await node.shell('ls /var/lib/lamadist-agent/download', QUICK)).stdout).toBe('');
    }));

  it('is gone on with when lamactl was killed half-way and asked again', () =>
    onNode({}, async ({ homelab, node }) => {
      const first = homelab.lamactl(['install', '--limit-rate', '10MiB', homelab.bundlePath('2')]);
      await reaches(node, 'downloading');
      await node.shell('until [ "$(stat -c %s /var/lib/lamadist-agent/download/*.raucb)" -gt 20000000 ]; do sleep 0.1; done', QUICK);
      first.kill('SIGKILL');
      await first;
      expect((await homelab.lamactl(['install', homelab.bundlePath('2')])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const { nodes } = await json<{ nodes: { updates: object[] }[] }>(homelab, 'history');
      expect(nodes[0]?.updates).toHaveLength(1);
    }));
});
