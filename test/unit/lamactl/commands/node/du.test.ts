// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { DISK_USAGE } from '../../details.ts';
import { deadNode, FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl du', () => {
  it('shows file systems and folders', async () => {
    const world = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await world.run('du')).toBe(0);
    expect(world.stdout.text).toMatch(/^attic +\/ +100MiB +100MiB +0B +100% +erofs \(read-only\) +\/dev\/mapper\/root$/m);
    expect(world.stdout.text).toMatch(/^attic +\/var +512MiB +128MiB +384MiB +25% +10% +ext4 +\/dev\/mapper\/var$/m);
    expect(world.stdout.text).toMatch(/^attic +\/var\/log\/journal +≥ 8MiB +3 +the node's log$/m);
  });

  it('calls the figures of a file system unknown that does not answer', async () => {
    const attic = new FakeNode();
    const { capacity: _none, ...silent } = DISK_USAGE.fileSystems[1]!;
    attic.answers.diskUsage = async () => ({ ...DISK_USAGE, fileSystems: [silent] });
    const world = new FakeWorld({ attic }, certificates);
    expect(await world.run('du')).toBe(4);
    expect(world.stdout.text).toMatch(/^attic +\/var +unknown +ext4 +\/dev\/mapper\/var$/m);
  });

  it('prints bytes for programs, and the failure of a dead node', async () => {
    const world = new FakeWorld({ attic: new FakeNode(), cellar: deadNode() }, certificates);
    expect(await world.run('du --all -o json')).toBe(4);
    expect(world.json()).toMatchObject({
      nodes: [
        { node: 'attic', fileSystems: [{ mountPoint: '/' }, { capacity: { sizeBytes: 536_870_912 } }], folders: [{ files: 7 }, {}] },
        { node: 'cellar', error: { code: 'NODE_UNREACHABLE' } },
      ],
    });
  });
});
