// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

const FOUND = [{ path: '/run/lamadist-media/sdb1/v2.raucb', sizeBytes: 5 << 20, modifiedAt: '2026-11-20T11:00:00.000Z' }];

describe('lamactl bundles', () => {
  it('lists what is on the media of each node, with the path to install', async () => {
    const [attic, cellar] = [new FakeNode(), new FakeNode()];
    attic.answers = { mediaBundles: async () => FOUND };
    const one = new FakeWorld({ attic, cellar }, certificates);
    expect(await one.run('bundles --all')).toBe(0);
    expect(one.stdout.text).toMatch(/attic +\/run\/lamadist-media\/sdb1\/v2\.raucb +5MiB/);
  });

  it('says so when there is none', async () => {
    const one = new FakeWorld({ attic: new FakeNode() }, certificates);
    expect(await one.run('bundles')).toBe(0);
    expect(one.stdout.text).toBe('No bundle is on removable media.\n');
  });

  it('prints them for a program', async () => {
    const attic = new FakeNode();
    attic.answers = { mediaBundles: async () => FOUND };
    const one = new FakeWorld({ attic }, certificates);
    await one.run('bundles -o json');
    expect(JSON.parse(one.stdout.text)).toEqual({ nodes: [{ node: 'attic', bundles: FOUND }] });
  });
});
