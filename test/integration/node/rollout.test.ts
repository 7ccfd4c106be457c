// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Homelab } from '../../../qemu/homelab.ts';
import { Fleet, NOT_FOR_THREE } from './fleet.ts';
import { BOOT, eventually, SCENARIO_MS } from './kind-of-node.ts';

const NAMES = ['attic', 'cellar', 'shed'];

const oneIsInFlight = (fleet: Fleet) =>
  eventually('the first node to be in flight', BOOT.timeoutMs, async () => {
    const report = await fleet.status().catch(() => undefined);
    return report?.nodes.some(({ step }) => step === 'in-flight') || undefined;
  });

/** Runs lamactl on another machine of the administrator: with a folder of its own, a certificate of its own, and nothing of what the first one remembers. */
async function anotherMachine({ homelab }: Fleet): Promise<(...args: string[]) => ReturnType<Homelab['lamactl']>> {
  const folder = join(homelab.folder, 'another-machine');
  await mkdir(folder);
  const { certificate, key } = await homelab.pki.client('admin');
  for (const file of ['ca.pem', 'keyring.pem', 'config.yaml']) await copyFile(join(homelab.folder, file), join(folder, file));
  await writeFile(join(folder, 'admin.pem'), certificate);
  await writeFile(join(folder, 'admin.key'), key, { mode: 0o600 });
  const env = { ...process.env, LAMACTL_CONFIG: join(folder, 'config.yaml') };
  return (...args) => homelab.lamactl(args, { env });
}

describe('a rollout that lamactl runs', { timeout: 2 * SCENARIO_MS }, () => {
  it('is taken over by another machine with a certificate of its own, which sees it through while the first one stops', () =>
    Fleet.with(
      NAMES,
      () => ({}),
      async (fleet) => {
        const { homelab } = fleet;
        const another = await anotherMachine(fleet);
        const first = homelab.lamactl(['rollout', 'start', '--all', '--bundle', homelab.bundlePath('2'), '--waves', '1,rest']);
        await oneIsInFlight(fleet);
        expect(await another('rollout', 'take-over')).toMatchObject({ exitCode: 0 });
        expect(await first).toMatchObject({ exitCode: 7, all: expect.stringContaining('ROLLOUT_TAKEN_OVER') });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2', shed: '2' });
        expect(await fleet.steps()).toEqual({ attic: 'done', cellar: 'done', shed: 'done' });
      },
    ));
});

describe('a rollout over three nodes', { timeout: 3 * SCENARIO_MS }, () => {
  it('goes wave by wave, is gone on with when lamactl was killed, and from a machine that knows nothing of it, halted by a rollback, and undone', () =>
    Fleet.with(
      NAMES,
      (name) => (name === 'shed' ? { files: [NOT_FOR_THREE] } : {}),
      async (fleet) => {
        const { homelab } = fleet;
        const two = homelab.bundlePath('2');

        const plan = await fleet.rollout('plan', '--all', '--bundle', two, '--waves', '1,rest');
        expect(plan).toMatchObject({ exitCode: 0, all: expect.stringContaining('3 nodes in 2 waves, at most 1 down at once') });

        // Killed in the middle of the first wave; the same machine goes on.
        const started = homelab.lamactl(['rollout', 'start', '--all', '--bundle', two, '--waves', '1,rest', '--pause-after', '1']);
        await oneIsInFlight(fleet);
        started.kill('SIGKILL');
        await started;
        expect(await fleet.rollout('resume')).toMatchObject({ exitCode: 12, all: expect.stringContaining('it was to pause after wave 1') });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '1', shed: '1' });

        // Another machine of the administrator knows nothing but the context, and the file; it finds the rollout on the nodes.
        await rm(join(homelab.folder, 'rollouts'), { recursive: true });
        expect(await fleet.rollout('resume')).toMatchObject({ exitCode: 0 });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2', shed: '2' });
        expect(await fleet.steps()).toEqual({ attic: 'done', cellar: 'done', shed: 'done' });

        // The version that is not healthy everywhere stops, and is taken back where it was.
        const three = homelab.bundlePath('3');
        const halted = await fleet.rollout('start', '--all', '--bundle', three, '--waves', '1,1,rest');
        expect(halted).toMatchObject({ exitCode: 9, all: expect.stringContaining('shed rolled back') });
        expect(await fleet.versions()).toEqual({ attic: '3', cellar: '3', shed: '2' });
        expect(await fleet.rollout('resume')).toMatchObject({ exitCode: 7, all: expect.stringContaining('was rolled back on shed') });
        expect(await fleet.rollout('undo')).toMatchObject({ exitCode: 0 });
        expect(await fleet.versions()).toEqual({ attic: '2', cellar: '2', shed: '2' });
        expect(await fleet.steps()).toEqual({ attic: 'undone', cellar: 'undone', shed: 'rolled-back' });
      },
    ));
});
