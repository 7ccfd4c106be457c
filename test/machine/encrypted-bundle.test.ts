// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { COMMITTED, report } from '../integration/node/ask-node.ts';
import { SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';
import { expectFewBytes, installFrom, serveToMachines, TRUSTING } from './streamed.ts';

/** lamactl leaves an update that waits for somebody to reboot. */
const LEFT = 12;

describe("a bundle that is encrypted to a node's certificate", { timeout: SCENARIO_MS }, () => {
  it("is streamed there from a server, and from the administrator's own disk, and opened by no other node", () =>
    onNode({ node: TRUSTING }, async ({ homelab, node }) => {
      const image = await homelab.image('2');
      const stranger = await homelab.pki.node('cellar', '192.0.2.7');
      const other = await node.deliver(await homelab.bundle(image, { encryptTo: [stranger.certificate] }));
      const refused = await homelab.lamactl(['install', '--on-node', other]);
      expect(refused).toMatchObject({ all: expect.stringContaining('BUNDLE_INVALID') });

      const own = await node.readFile('/etc/lamadist-agent/tls/node.pem');
      const bundle = await homelab.bundle(image, { encryptTo: [stranger.certificate, own] });
      const server = await serveToMachines(homelab, bundle);
      expect(await installFrom(homelab, server).finally(() => server.close())).toMatchObject({ exitCode: LEFT });
      expect((await homelab.lamactl(['rollback', '--message', 'the other way, too'])).exitCode).toBe(0);
      await expectFewBytes(homelab, bundle);

      expect(await homelab.lamactl(['install', bundle])).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      await expectFewBytes(homelab, bundle);
    }));
});
