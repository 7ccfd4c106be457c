// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Fleet } from './fleet.ts';
import { BOOT, eventually, SCENARIO_MS } from './kind-of-node.ts';

const GAVE = 'The bundle came from other nodes';
const LEFT = 'Another node did not give the bundle';

describe('nodes that keep a bundle', { timeout: 3 * SCENARIO_MS }, () => {
  it('give it to others while no administrator is there, and to the later waves of a rollout', () =>
    Fleet.with(
      ['attic', 'cellar', 'shed'],
      () => ({}),
      async (fleet) => {
        const { homelab } = fleet;
        const install = async (...args: string[]) => {
          const { exitCode, all } = await homelab.lamactl(['install', ...args]);
          return { exitCode, all: String(all) };
        };
        const two = homelab.bundlePath('2');
        expect(await install('-n', 'attic', '--keep-bundle', two)).toMatchObject({ exitCode: 0 });

        // lamactl is gone at once: all of it comes from the other node.
        expect(await install('-n', 'cellar', '--peers', 'attic', '--no-wait', two)).toMatchObject({ exitCode: 0 });
        await eventually('the second node to run version 2', BOOT.timeoutMs, async () => {
          return (await fleet.versions().catch(() => ({ cellar: '' }))).cellar === '2' || undefined;
        });

        // One that keeps nothing is left for the administrator.
        expect(await install('-n', 'shed', '--peers', 'cellar', two)).toMatchObject({ exitCode: 0 });
        expect(await logOf(fleet, 'shed')).toContain(LEFT);

        await fleet.answers(['attic', 'cellar', 'shed']);
        const rollout = await fleet.rollout('start', '--all', '--bundle', homelab.bundlePath('4'), '--waves', '1,1,rest', '--peers');
        expect(rollout).toMatchObject({ exitCode: 0 });
        expect(await fleet.versions()).toEqual({ attic: '4', cellar: '4', shed: '4' });
        const boots = await logOf(fleet, 'cellar');
        expect(boots.split(GAVE)).toHaveLength(3);
      },
      ['4'],
    ));
});

async function logOf({ homelab }: Fleet, node: string): Promise<string> {
  const { stdout } = await homelab.lamactl(['logs', '-n', node, '--unit', 'lamadist-agent.service', '-o', 'json']);
  return String(stdout);
}
