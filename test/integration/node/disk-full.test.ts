// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';
import { serveBundle } from '../fakes/bundle-server.ts';
import { COMMITTED, journaled, reaches, report, shellOk } from './ask-node.ts';
import { duringPhase, HELD_PHASES } from './held-phase.ts';
import { BOOT, eventually, QUICK, SCENARIO_MS, skipWhereRaucStreams } from './kind-of-node.ts';
import { check, onNode } from './scenario.ts';

const SLOW_CHECK = check('slow', 'timeout: 60s', 'retries: 0', 'condition: { type: command, argv: [/bin/sleep, "8"] }');
const TRUSTED_SERVER = { config: { download: { 'ca-file': '/etc/lamadist-agent/tls/ca.pem' } } };
/** Which of the two it is depends on whether there is a last block for RAUC's status file. */
const RAUC_OUT_OF_SPACE = [
  { exitCode: 8, says: 'NO_SPACE', phase: 'failed' },
  { exitCode: 9, says: 'data-space', phase: 'rolled-back' },
];
const INSTALLING = HELD_PHASES.find(({ phase }) => phase === 'installing')!;

/** As root, who may take the last block. */
const fill = (node: VirtualNode) => shellOk(node, 'cat /dev/zero >/var/full 2>/dev/null; sync /var/full; df --output=avail /var', BOOT);
const free = (node: VirtualNode) => shellOk(node, 'rm /var/full; sync /var');

/** An end that could not be written down is, as soon as there is space: until then only the agent knows of it. */
async function isOnRecord(node: VirtualNode, phase: string): Promise<void> {
  await eventually(`the journal to say ${phase}`, QUICK.timeoutMs, async () => (await journaled(node)).phase === phase || undefined);
}

describe('a data disk that is full', { timeout: SCENARIO_MS }, () => {
  it('when an update is asked for refuses it, and takes it once there is space', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await fill(node);
      expect(await homelab.lamactl(['install', '--on-node', bundle])).toMatchObject({
        exitCode: 7,
        all: expect.stringContaining('JOURNAL_UNWRITABLE'),
      });
      await free(node);
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('in the middle of a download ends it, and the next attempt is committed', (test) => {
    skipWhereRaucStreams(test);
    return onNode({ node: TRUSTED_SERVER }, async ({ homelab, node }) => {
      const server = await serveBundle(homelab.pki.agentAuthority, homelab.bundlePath('2'));
      try {
        server.hold(4 << 20);
        const install = homelab.lamactl(['install', server.url]);
        await reaches(node, 'downloading');
        await fill(node);
        server.release();
        expect(await install).toMatchObject({ exitCode: 8, all: expect.stringContaining('NO_SPACE') });
        await free(node);
        await isOnRecord(node, 'failed');
        expect((await homelab.lamactl(['install', server.url])).exitCode).toBe(0);
        expect(await report(homelab)).toMatchObject(COMMITTED);
      } finally {
        server.close();
      }
    });
  });

  it('while RAUC writes does not keep the update from its end, which says what is wrong', () =>
    onNode({}, async (scenario) => {
      const { homelab, node } = scenario;
      const { exitCode, all } = await duringPhase(scenario, INSTALLING, () => fill(node));
      const end = RAUC_OUT_OF_SPACE.find((known) => known.exitCode === exitCode);
      expect(all, `exit code ${exitCode}`).toContain(end?.says);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A', slots: { A: 'good primary' } });
      await free(node);
      await isOnRecord(node, end!.phase);
      const again = await node.deliver(homelab.bundlePath('2'));
      expect((await homelab.lamactl(['install', '--on-node', '--force', again])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('once the trial found enough space does not keep it from its end', () =>
    onNode({ files: [SLOW_CHECK] }, async ({ homelab, node, bundle }) => {
      const install = homelab.lamactl(['install', '--on-node', bundle]);
      await reaches(node, 'checking');
      await fill(node);
      expect((await install).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect((await journaled(node)).phase).toBe('committed');
    }));
});
