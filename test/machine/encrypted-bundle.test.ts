// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { COMMITTED, json, report } from '../integration/node/ask-node.ts';
import { SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';

/** lamactl leaves an update that waits for somebody to reboot. */
const LEFT = 12;

describe("a bundle that is encrypted to a node's certificate", { timeout: SCENARIO_MS }, () => {
  it('is installed there from a file, streamed from a disk elsewhere, and opened by no other node', () =>
    onNode({}, async ({ homelab, node }) => {
      const image = await homelab.image('2');
      const stranger = await homelab.pki.node('cellar', '192.0.2.7');
      const other = await node.deliver(await homelab.bundle(image, { encryptTo: [stranger.certificate] }));
      const refused = await homelab.lamactl(['install', '--on-node', other]);
      expect(refused).toMatchObject({ all: expect.stringContaining('BUNDLE_INVALID') });

      const own = await node.readFile('/etc/lamadist-agent/tls/node.pem');
      const bundle = await homelab.bundle(image, { encryptTo: [stranger.certificate, own] });
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', await node.deliver(bundle), '--reboot', 'manual']);
      expect({ exitCode, all }).toMatchObject({ exitCode: LEFT });
      expect((await homelab.lamactl(['rollback', '--message', 'the other way, too'])).exitCode).toBe(0);

      expect(await homelab.lamactl(['install', bundle])).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const { nodes } = await json<{ nodes: { updates: { fetched?: { fetchedBytes: number } }[] }[] }>(homelab, 'history');
      expect(nodes[0]?.updates[0]?.fetched?.fetchedBytes).toBeLessThan((await stat(bundle)).size / 10);
    }));
});
