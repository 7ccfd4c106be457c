// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { ROLLED_BACK, updateIn } from '../../answers.ts';
import { FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

function nodeWithHistory(): FakeNode {
  const attic = new FakeNode();
  const history = [ROLLED_BACK, updateIn('committed')];
  attic.answers.updates = async (limit) => history.slice(0, limit);
  return attic;
}

describe('lamactl history', () => {
  it('tells how each update ended, and why', async () => {
    const one = new FakeWorld({ attic: nodeWithHistory() }, certificates);
    expect(await one.run('history')).toBe(0);
    expect(one.stdout.text).toMatch(
      /^attic .* 2\.0\.0 +rolled-back +rootfs\.1 +admin +Cannot commit 2\.0\.0: a required check did not pass \(CHECK_FAILED\)$/m,
    );
    expect(one.stdout.text).not.toContain('k3s: cannot start');
  });

  it("prints the failed boot's log with --log", async () => {
    const one = new FakeWorld({ attic: nodeWithHistory() }, certificates);
    await one.run('history --log');
    expect(one.stdout.text).toContain('attic: log of the failed boot of 2.0.0\n  | first line\n  | k3s: cannot start\n');
  });

  it('tells how much of a bundle came over the network', async () => {
    const attic = new FakeNode();
    attic.answers.updates = async () => [updateIn('committed', { fetched: { fetchedBytes: 3 << 20, bundleBytes: 143 << 20 } })];
    const one = new FakeWorld({ attic }, certificates);
    await one.run('history');
    expect(one.stdout.text).toContain(' 3MiB of 143MiB ');
  });

  it('asks for no more than --limit', async () => {
    const one = new FakeWorld({ attic: nodeWithHistory() }, certificates);
    await one.run('history --limit 1 -o json');
    expect(one.json()).toMatchObject({ nodes: [{ node: 'attic', updates: [{ phase: 'rolled-back' }] }] });
    expect(await one.run('history --limit 0')).toBe(2);
  });
});
