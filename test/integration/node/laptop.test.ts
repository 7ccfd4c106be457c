// SPDX-License-Identifier: Apache-2.0
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Relay, relayTo } from '../fakes/relay.ts';
import { COMMITTED, json, reaches, report } from './ask-node.ts';
import { eventually, QUICK, SCENARIO_MS } from './kind-of-node.ts';
import { onNode, type Scenario } from './scenario.ts';

/** What may be on its way when lamactl is killed, and comes again; and all that is said beside the bundle. */
const SLACK_BYTES = 8 << 20;

/** Lets lamactl reach the node through a relay. Returns how to install the scenario's bundle that way. */
async function installThrough(relay: Relay, { homelab, node }: Scenario) {
  const file = path.join(homelab.folder, 'relayed.yaml');
  await writeFile(file, (await readFile(homelab.contextFile, 'utf8')).replaceAll(`${node.host}:${node.port}`, relay.address));
  const env = { ...process.env, LAMACTL_CONFIG: file };
  return (...options: string[]) => homelab.lamactl(['install', ...options, homelab.bundlePath('2')], { env });
}

describe("a bundle on the administrator's own disk", { timeout: SCENARIO_MS }, () => {
  it('is given to the node through the connection of lamactl, and committed', () =>
    onNode({}, async ({ homelab, node }) => {
      const { exitCode, all } = await homelab.lamactl(['install', homelab.bundlePath('2')]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect((await node.shell('ls /var/lib/lamadist-agent/download', QUICK)).stdout).toBe('');
    }));

  it('is gone on with when lamactl was killed half-way: within a minute in the same update, later in another', () =>
    onNode({}, async (scenario) => {
      const { homelab, node } = scenario;
      const relay = await relayTo(node.host, node.port);
      const slow = ['--limit-rate', '10MiB'];
      try {
        const install = await installThrough(relay, scenario);
        const { slots } = await report(homelab);
        for (const killedAtBytes of [12 << 20, 24 << 20]) {
          const lamactl = install(...slow);
          await eventually('the bundle to be on its way', QUICK.timeoutMs, async () => relay.sentBytes > killedAtBytes || undefined);
          lamactl.kill('SIGKILL');
          await lamactl;
        }
        expect(await reaches(node, 'failed')).toMatchObject({ reason: { code: 'CLIENT_GONE' } });
        expect(await report(homelab)).toMatchObject({ booted: 'A', version: '1', slots });
        const { exitCode, all } = await install();
        expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
        expect(await report(homelab)).toMatchObject(COMMITTED);
        const { nodes } = await json<{ nodes: { updates: { phase: string }[] }[] }>(homelab, 'history');
        expect(nodes[0]?.updates.map(({ phase }) => phase)).toEqual(['committed', 'failed']);
        expect(relay.sentBytes).toBeLessThan((await stat(homelab.bundlePath('2'))).size + SLACK_BYTES);
      } finally {
        relay.close();
      }
    }));
});
