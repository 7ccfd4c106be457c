// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { INVENTORY } from '../../details.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl inventory', () => {
  it('shows one node in full, and what it cannot see as unknown', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('inventory')).toBe(0);
    expect(world.stdout.text).toMatch(/^System +Example Box 3$/m);
    expect(world.stdout.text).toMatch(/^Board +unknown$/m);
    expect(world.stdout.text).toMatch(/^Cores\/threads +2\/4$/m);
    expect(world.stdout.text).toMatch(/^\/dev\/nvme0n1 +NVMe +512GiB +Example Fast +unknown$/m);
    expect(world.stdout.text).toMatch(/^eth0 +hardware +up +1000Mb\/s +02:00:00:00:00:01 +10\.0\.0\.5\/24$/m);
  });

  it('shows many nodes in a table, and a dead one as unknown', async () => {
    const world = new FakeWorld({ attic: new FakeNode(), cellar: deadNode() }, certificates);
    expect(await world.run('inventory --all')).toBe(4);
    expect(world.stdout.text).toMatch(/^attic +Example Box 3 +AMD EPYC +2\/4 +8GiB +512GiB$/m);
    expect(world.stdout.text).toMatch(/^cellar +unknown +unknown +unknown +unknown +unknown$/m);
  });

  it('has the node look again with --refresh, and says what it could not find out', async () => {
    const attic = new FakeNode();
    const asked: boolean[] = [];
    attic.answers.inventory = async (refresh) => {
      asked.push(refresh);
      return { ...INVENTORY, problems: ['disks: not\nhere'] };
    };
    const world = new FakeWorld({ attic }, certificates);
    await world.run('inventory --refresh');
    await world.run('inventory -o json');
    expect(asked).toEqual([true, false]);
    expect(world.stdout.text).toContain('not found out: disks: not here\n');
  });

  it('prints one document for each node', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    await world.run('inventory -o json');
    expect(world.json()).toEqual({ nodes: [{ node: 'attic', inventory: INVENTORY }] });
  });
});
