// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { serveBundle } from '../fakes/bundle-server.ts';
import { agentAnswers, journaled, json, reaches, report, shellOk } from './ask-node.ts';
import { duringPhase, HELD_PHASES } from './held-phase.ts';
import { eventually, QUICK, SCENARIO_MS, skipWhereRaucStreams } from './kind-of-node.ts';
import { onNode, type Scenario } from './scenario.ts';

const COMMITTED = { version: '2', booted: 'B', slots: { A: 'good', B: '2 ok good primary' } };
const UNTOUCHED = { version: '1', booted: 'A' };
/** The target slot holds the new version, and nothing leads into it. */
const WRITTEN = { ...UNTOUCHED, slots: { A: 'good primary', B: '2 ok bad' } };
const INSTALLING = HELD_PHASES.find(({ phase }) => phase === 'installing')!;

/** Whatever the host's clock is, a node in its namespaces cannot wait for somebody to synchronise it. */
const config = { download: { 'ca-file': '/etc/lamadist-agent/tls/ca.pem' }, updates: { 'clock-patience': '1s' } };
const onPatientNode = (test: (scenario: Scenario) => Promise<void>) => onNode({ node: { config } }, test);

/** A daily window from and to so many minutes from now, in UTC. */
function windowAt(startMinutes: number, endMinutes: number): string {
  const time = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  return `${time(startMinutes)}-${time(endMinutes)}`;
}

const history = async ({ homelab }: Scenario) => {
  const { nodes } = await json<{ nodes: { updates: { phaseChanges: { phase: string }[] }[] }[] }>(homelab, 'history');
  return nodes[0]?.updates[0];
};

describe('an update that is assigned to a window', { timeout: SCENARIO_MS }, () => {
  it('is carried out within it, with nobody connected', () =>
    onPatientNode(async ({ homelab, node, bundle }) => {
      const { exitCode } = await homelab.lamactl(['install', '--window', windowAt(-60, 60), '--on-node', bundle]);
      expect(exitCode).toBe(0);
      await reaches(node, 'committed');
      expect(await report(homelab)).toMatchObject(COMMITTED);
    }));

  it('waits for it through restarts of the agent and of the node, paused as well, and can be cancelled', () =>
    onPatientNode(async (scenario) => {
      const { homelab, node, bundle } = scenario;
      await homelab.lamactl(['install', '--window', windowAt(120, 180), '--on-node', bundle]);
      await reaches(node, 'scheduled');
      await node.shell('systemctl kill --signal=KILL --kill-whom=main lamadist-agent.service', QUICK);
      await agentAnswers(homelab);
      expect((await homelab.lamactl(['pause'])).exitCode).toBe(0);
      expect((await homelab.lamactl(['reboot', '--wait'])).exitCode).toBe(0);
      expect(await journaled(node)).toMatchObject({ phase: 'paused', written: null });
      expect((await homelab.lamactl(['resume'])).exitCode).toBe(0);
      expect(await reaches(node, 'scheduled')).toMatchObject({ phase: 'scheduled' });
      expect((await homelab.lamactl(['cancel', '--message', 'another day'])).exitCode).toBe(0);
      expect(await history(scenario)).toMatchObject({ phase: 'failed', reason: { code: 'CANCELLED', message: 'another day' } });
      expect(await report(homelab)).toMatchObject(UNTOUCHED);
    }));
});

describe('an update that is paused', { timeout: SCENARIO_MS }, () => {
  it('while RAUC writes is left, or held, once the slot is written: through a reboot, until it is resumed', () =>
    onPatientNode(async (scenario) => {
      const { homelab, node } = scenario;
      const cancelled = await duringPhase(scenario, INSTALLING, () => homelab.lamactl(['cancel']));
      expect(cancelled).toMatchObject({ exitCode: 8, all: expect.stringContaining('CANCELLED') });
      expect(await report(homelab)).toMatchObject(WRITTEN);

      const resumed = await duringPhase(scenario, INSTALLING, async () => {
        expect((await homelab.lamactl(['pause'])).exitCode).toBe(0);
        await node.release(INSTALLING.hold);
        expect(await reaches(node, 'paused')).toMatchObject({ written: expect.anything() });
        expect((await homelab.lamactl(['reboot', '--wait'])).exitCode).toBe(0);
        expect(await journaled(node)).toMatchObject({ phase: 'paused', written: expect.anything() });
        expect(await report(homelab)).toMatchObject(WRITTEN);
        expect((await homelab.lamactl(['resume'])).exitCode).toBe(0);
      });
      expect(resumed).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const phases = (await history(scenario))?.phaseChanges.map(({ phase }) => phase);
      expect(phases?.filter((phase) => phase === 'installing' || phase === 'paused')).toEqual(['installing', 'paused']);
    }));

  it('while it is downloading keeps what it has, and goes on from there', (test) => {
    skipWhereRaucStreams(test);
    return onPatientNode(async (scenario) => {
      const { homelab, node } = scenario;
      const server = await serveBundle(homelab.pki.agentAuthority, homelab.bundlePath('2'));
      try {
        server.hold(4 << 20);
        const install = homelab.lamactl(['install', server.url]);
        await reaches(node, 'downloading');
        await node.shell('until [ "$(stat -c %s /var/lib/lamadist-agent/download/*.raucb)" = 4194304 ]; do sleep 0.1; done', QUICK);
        expect((await homelab.lamactl(['pause'])).exitCode).toBe(0);
        await reaches(node, 'paused');
        server.release();
        expect((await homelab.lamactl(['resume'])).exitCode).toBe(0);
        expect((await install).exitCode).toBe(0);
        expect(server.offsets).toEqual([0, 4 << 20]);
        expect(await report(homelab)).toMatchObject(COMMITTED);
      } finally {
        server.close();
      }
    });
  });
});

describe('the point of no return', { timeout: SCENARIO_MS }, () => {
  it('is the activation: then an update can be rolled back, and neither paused nor cancelled', () =>
    onPatientNode(async ({ homelab, node, bundle }) => {
      await homelab.lamactl(['install', '--reboot', 'manual', '--on-node', bundle]);
      await reaches(node, 'pending-reboot');
      for (const order of ['pause', 'cancel']) {
        const { exitCode, all } = await homelab.lamactl([order]);
        expect({ exitCode, all }).toMatchObject({ exitCode: 7, all: expect.stringContaining('POINT_OF_NO_RETURN') });
      }
      const second = await homelab.lamactl(['install', '--on-node', bundle]);
      expect(second.all).toContain('REBOOT_PENDING');
      expect((await homelab.lamactl(['rollback'])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject({ ...UNTOUCHED, slots: { A: 'good primary', B: '2 ok bad' } });
    }));
});

describe('a server that asks who is there', { timeout: SCENARIO_MS }, () => {
  beforeEach(skipWhereRaucStreams);

  it('is shown a token, which is found nowhere on the node afterwards', () =>
    onPatientNode(async ({ homelab, node }) => {
      const token = 'Bearer 7c2f1e';
      const server = await serveBundle(homelab.pki.agentAuthority, homelab.bundlePath('2'), token);
      try {
        expect((await homelab.lamactl(['install', server.url])).all).toContain('DOWNLOAD_REFUSED');
        const { exitCode, all } = await homelab.lamactl(['install', '--header', `Authorization: ${token}`, server.url]);
        expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.not.stringContaining('7c2f1e') });
        expect(await report(homelab)).toMatchObject(COMMITTED);
        await node.shell('journalctl --sync', QUICK);
        const found = await node.shell(
          'grep -rl 7c2f1e /var/lib /var/log /run/lamadist-agent; journalctl --no-pager | grep -c 7c2f1e',
          QUICK,
        );
        expect(found.stdout.trim()).toBe('0');
        // What is left of an update whose agent was killed between its end and the clean-up goes when the agent starts again.
        await shellOk(
          node,
          `cd /var/lib/lamadist-agent && for folder in access download; do
            install -d -o lamadist-agent $folder && install -o lamadist-agent -m 600 /dev/null $folder/left; done
            systemctl kill --signal=KILL --kill-whom=main lamadist-agent.service`,
        );
        await agentAnswers(homelab);
        await eventually('what was left to be gone', QUICK.timeoutMs, async () => {
          const { exitCode, stdout } = await node.shell('find /var/lib/lamadist-agent -name left', QUICK);
          return (exitCode === 0 && stdout === '') || undefined;
        });
      } finally {
        server.close();
      }
    }));
});
