// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { ROLLED_BACK, updateIn } from '../../answers.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const world = (nodes: Record<string, FakeNode>) => new FakeWorld(nodes, certificates);

describe('lamactl watch', () => {
  it('tells how the last update ended', async () => {
    const attic = new FakeNode();
    attic.last = ROLLED_BACK;
    const one = world({ attic });
    expect(await one.run('watch')).toBe(9);
    expect(one.stdout.text).toContain('Cannot commit 2.0.0: a required check did not pass (CHECK_FAILED)');
  });

  it('ends with 11 on a node that was never asked for an update', async () => {
    const attic = new FakeNode();
    attic.last = undefined;
    expect(await world({ attic }).run('watch')).toBe(11);
  });

  it('waits for a node that is away, for it may be rebooting', async () => {
    const one = world({ attic: deadNode() });
    expect(await one.run('watch --wait 1m -o json')).toBe(13);
    expect(one.events().map(({ type }) => type)).toEqual(['unreachable', 'left']);
  });

  it('goes on watching an update that waits for a reboot by hand', async () => {
    const attic = new FakeNode();
    attic.last = updateIn('installing');
    attic.watches = [[updateIn('pending-reboot', { rebootPolicy: 'manual' }), updateIn('trial'), updateIn('committed')]];
    const one = world({ attic });
    expect(await one.run('watch')).toBe(0);
    expect(one.stdout.text).toContain('attic: pending-reboot after 0:00: waits for "lamactl reboot"');
  });

  it('prints a stream of YAML documents', async () => {
    const one = world({ attic: new FakeNode() });
    expect(await one.run('watch -o yaml')).toBe(0);
    expect(one.stdout.text).toMatch(/^---\nnode: attic\ntype: result\n/);
  });
});
