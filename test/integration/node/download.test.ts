// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { serveBundle } from '../fakes/bundle-server.ts';
import { agentAnswers, COMMITTED, json, reaches, report, shellOk } from './ask-node.ts';
import { BOOT, eventually, QUICK, SCENARIO_MS, skipWhereRaucStreams } from './kind-of-node.ts';
import { onNode, type Scenario } from './scenario.ts';

/** A node whose bundle is behind a URL, on a server that it trusts. */
const withServer = (test: (scenario: Scenario & { server: Awaited<ReturnType<typeof serveBundle>> }) => Promise<void>) =>
  onNode({ node: { config: { download: { 'ca-file': '/etc/lamadist-agent/tls/ca.pem' } } } }, async (scenario) => {
    const { pki } = scenario.homelab;
    const server = await serveBundle(pki.agentAuthority, scenario.homelab.bundlePath('2'));
    try {
      await test({ ...scenario, server });
    } finally {
      server.close();
    }
  });

describe('a bundle behind a URL, on a node whose kernel cannot stream', { timeout: SCENARIO_MS }, () => {
  beforeEach(skipWhereRaucStreams);

  it('is fetched to the disk, installed, committed, and removed from the disk', () =>
    withServer(async ({ homelab, node, server }) => {
      expect((await homelab.lamactl(['install', server.url])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect((await node.shell('ls /var/lib/lamadist-agent/download', QUICK)).stdout).toBe('');
    }));

  it('goes on where it was when the agent is killed while downloading', () =>
    withServer(async ({ homelab, node, server }) => {
      server.hold(4 << 20);
      const install = homelab.lamactl(['install', server.url]);
      await reaches(node, 'downloading');
      await node.shell('until [ "$(stat -c %s /var/lib/lamadist-agent/download/*.raucb)" = 4194304 ]; do sleep 0.1; done', QUICK);
      await node.shell('systemctl kill --signal=KILL --kill-whom=main lamadist-agent.service', QUICK);
      await agentAnswers(homelab);
      server.release();
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect(server.offsets).toEqual([0, 4 << 20]);
    }));

  it('goes on where it was when the server hangs up half-way, again and again, and falls silent', () =>
    withServer(async ({ homelab, node, server }) => {
      server.breakOff(4 << 20, 3 << 20);
      server.hold(2 << 20);
      const install = homelab.lamactl(['install', server.url]);
      const arrived = 'until [ "$(stat -c %s /var/lib/lamadist-agent/download/*.raucb)" = 9437184 ]; do sleep 0.2; done 2>/dev/null';
      await shellOk(node, arrived, BOOT);
      // It is given half a minute to say something more; then it is asked again.
      await eventually('the server to be asked again', 60_000, async () => server.offsets.length > 3 || undefined);
      server.release();
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect(server.offsets).toEqual([0, 4 << 20, 7 << 20, 9 << 20]);
    }));

  it('that redirects for ever is refused', () =>
    withServer(async ({ homelab, server }) => {
      server.redirectToItself();
      const { exitCode, all } = await homelab.lamactl(['install', server.url]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringMatching(/DOWNLOAD_REFUSED|redirects more than/) });
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary', B: 'bad' } });
    }));

  it('can be given up while it is downloading', () =>
    withServer(async ({ homelab, node, server }) => {
      server.hold(4 << 20);
      const install = homelab.lamactl(['install', server.url]);
      await reaches(node, 'downloading');
      await homelab.lamactl(['rollback', '--message', 'wrong one']);
      expect((await install).exitCode).toBe(8);
      const { nodes } = await json<{ nodes: { updates: object[] }[] }>(homelab, 'history');
      expect(nodes[0]?.updates[0]).toMatchObject({ phase: 'failed', reason: { code: 'CANCELLED', message: 'wrong one' } });
      expect((await node.shell('ls /var/lib/lamadist-agent/download', QUICK)).stdout).toBe('');
    }));

  it('is refused when nobody that the node trusts vouches for the server', () =>
    withServer(async ({ homelab }) => {
      const { bundleAuthority } = homelab.pki;
      const stranger = await serveBundle(bundleAuthority, homelab.bundlePath('2'));
      const { exitCode, all } = await homelab.lamactl(['install', stranger.url]);
      stranger.close();
      expect({ exitCode, all }).toMatchObject({ exitCode: 8, all: expect.stringContaining('DOWNLOAD_REFUSED') });
    }));
});
