// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { debianProgram } from '../fakes/debian-program.ts';
import { KubernetesApi } from '../fakes/kubernetes-api.ts';
import { journaled, json, reaches } from './ask-node.ts';
import { believe, expectImage, spoil, ukiAfterUpdate } from './attested-node.ts';
import { Fleet } from './fleet.ts';
import { eventually, QUICK, SCENARIO_MS } from './kind-of-node.ts';

const NAMES = ['attic', 'cellar'];
/** Of the exits of lamactl. */
const UPDATE_FAILED = 8;

describe('a rollout whose nodes have to prove what they run', { timeout: 2 * SCENARIO_MS }, () => {
  it('goes on from those that do, and stops at one that does not', () =>
    Fleet.with(
      NAMES,
      () => ({}),
      async (fleet) => {
        const { homelab } = fleet;
        await believe(homelab, ['--all']);
        await expectImage(homelab, '1', ['--all']);
        await spoil(fleet.node('cellar'));

        const gates = ['--gate', 'health,attestation', '--expect', await ukiAfterUpdate(homelab, '2')];
        const halted = await fleet.rollout('start', '--all', '--bundle', homelab.bundlePath('2'), '--waves', '1,rest', ...gates);
        expect(halted).toMatchObject({ exitCode: UPDATE_FAILED, all: expect.stringContaining('Cannot trust cellar before the update') });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '1' });
        expect(await fleet.steps()).toEqual({ attic: 'done', cellar: 'failed' });
        expect(await verdicts(fleet)).toEqual({ attic: 'TRUSTED (first use)', cellar: 'REJECTED' });

        // A reboot measures everything anew: then it may have the version, too.
        expect((await homelab.lamactl(['reboot', '-n', 'cellar', '--wait'])).exitCode).toBe(0);
        const resumed = await fleet.rollout('resume', '--expect', await ukiAfterUpdate(homelab, '2'));
        expect(resumed).toMatchObject({ exitCode: 0 });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2' });
        expect(await verdicts(fleet)).toEqual({ attic: 'TRUSTED (first use)', cellar: 'TRUSTED (first use)' });
      },
    ));
});

async function verdicts({ homelab }: Fleet): Promise<Readonly<Record<string, string>>> {
  const { nodes } = await json<{ nodes: { node: string; verdict: string }[] }>(homelab, 'attest', 'run', '--all');
  return Object.fromEntries(nodes.map(({ node, verdict }) => [node, verdict]));
}

describe('a rollout with a window', { timeout: 4 * SCENARIO_MS }, () => {
  // Whatever the host's clock is, a node in its namespaces cannot wait for somebody to synchronise it.
  const config = { updates: { 'clock-patience': '1s' } };

  it('is carried out by the nodes while the laptop is off, but by one that was told to wait, and told afterwards', () =>
    Fleet.with(
      NAMES,
      () => ({ config }),
      async (fleet) => {
        const { homelab } = fleet;
        const [bundle] = await Promise.all(fleet.nodes.map((node) => node.deliver(homelab.bundlePath('2'))));
        const started = homelab.lamactl([
          'rollout',
          'start',
          '--all',
          '--on-node',
          '--bundle',
          bundle!,
          '--waves',
          'rest',
          '--max-unavailable',
          '2',
          '--window',
          windowIn(2),
        ]);
        for (const node of fleet.nodes) await reaches(node, 'scheduled');
        started.kill('SIGKILL');
        await started;
        expect((await homelab.lamactl(['updates', 'pause', '-n', 'cellar'])).exitCode).toBe(0);
        expect(await fleet.versions()).toEqual({ attic: '1', cellar: '1' });

        // Nobody asks a node for anything while the window opens.
        await eventually('the node to have carried it out', 2 * SCENARIO_MS, async () => {
          return (await journaled(fleet.node('attic')).catch(() => undefined))?.phase === 'committed' || undefined;
        });
        await reaches(fleet.node('cellar'), 'paused');
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '1' });
        expect(await fleet.steps()).toEqual({ attic: 'in-flight', cellar: 'in-flight' });

        expect((await homelab.lamactl(['updates', 'resume', '-n', 'cellar'])).exitCode).toBe(0);
        expect(await fleet.rollout('resume')).toMatchObject({ exitCode: 0 });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2' });
        expect(await fleet.steps()).toEqual({ attic: 'done', cellar: 'done' });
        expect(fleet.nodes.map(({ bootCount }) => bootCount)).toEqual([2, 2]);
      },
    ));
});

/** A daily window of three hours that opens in so many minutes, in UTC. */
function windowIn(minutes: number): string {
  const time = (from: number): string => new Date(Date.now() + from * 60_000).toISOString().slice(11, 16);
  return `${time(minutes)}-${time(minutes + 180)}`;
}

describe('a rollout over nodes of a cluster', { timeout: 2 * SCENARIO_MS }, () => {
  it('drains each before it reboots, opens it again, and stops at one whose work may not leave', () =>
    Fleet.with(
      NAMES,
      () => ({ labels: { role: 'k3s' } }),
      async (fleet) => {
        const { homelab } = fleet;
        const kubectl = await debianProgram('usr/bin/kubectl', 'kubernetes-client', 'kubectl');
        const cluster = await KubernetesApi.start(...NAMES);
        try {
          const kubeconfig = join(homelab.folder, 'kubeconfig');
          await cluster.writeKubeconfig(kubeconfig);
          const env = { ...process.env, LAMACTL_CONFIG: homelab.contextFile, PATH: `${dirname(kubectl)}:${process.env.PATH}` };
          const rollout = async (...args: string[]) => {
            const { exitCode, all } = await homelab.lamactl(['rollout', ...args, '--kubeconfig', kubeconfig, '--drain-timeout', '8s'], {
              env,
            });
            return { exitCode, all: String(all) };
          };
          const [held] = cluster.workOn('cellar');
          held!.isHeld = true;
          const gate = ['--gate', 'health,k3s', '--waves', '1,rest'];
          const halted = await rollout('start', '-l', 'role=k3s', '--bundle', homelab.bundlePath('2'), ...gate);
          expect(halted).toMatchObject({
            exitCode: UPDATE_FAILED,
            all: expect.stringContaining('Cannot drain cellar, which is uncordoned again'),
          });
          expect(cluster.changes).toEqual([...drained('attic'), 'mark cellar', 'cordon cellar', ...opened('cellar')]);
          expect(await fleet.versions()).toEqual({ attic: '2', cellar: '1' });
          expect(await fleet.steps()).toEqual({ attic: 'done', cellar: 'failed' });
          expect(cluster.workOn('cellar')).toHaveLength(1);
          // Nothing leads into what was installed: whatever reboots the node now, it keeps its version.
          expect((await fleet.node('cellar').shell('cat /var/lib/lamadist-agent/update.json', QUICK)).stdout).toContain('"rolled-back"');

          held!.isHeld = false;
          cluster.changes.length = 0;
          expect(await rollout('resume')).toMatchObject({ exitCode: 0 });
          expect(cluster.changes).toEqual(drained('cellar'));
          expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2' });
          expect(fleet.nodes.map(({ bootCount }) => bootCount)).toEqual([2, 2]);
          expect(cluster.refused).toEqual([]);
        } finally {
          cluster.close();
        }
      },
    ));

  const opened = (name: string): string[] => [`uncordon ${name}`, `clear ${name}`];
  const drained = (name: string): string[] => [`mark ${name}`, `cordon ${name}`, `evict web-${name}`, ...opened(name)];
});
