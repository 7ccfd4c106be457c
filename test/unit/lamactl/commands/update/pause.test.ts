// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl pause', () => {
  it('tells every selected node, and says how to watch it', async () => {
    const nodes = { attic: new FakeNode(), cellar: new FakeNode() };
    const one = new FakeWorld(nodes, certificates);
    expect(await one.run('pause --all')).toBe(0);
    expect([nodes.attic.orders, nodes.cellar.orders]).toEqual([['pause'], ['pause']]);
    expect(one.stdout.text).toContain('cellar: update op-1 is paused');
    expect(one.stdout.text).toContain('watch -n cellar');
  });

  it('ends with 7 when the node refuses it', async () => {
    const attic = new FakeNode();
    attic.answers = { pause: async () => Promise.reject(new Failure('POINT_OF_NO_RETURN', 'Cannot pause: it is too late')) };
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('pause')).toBe(7);
    expect(one.stderr.text).toContain('Cannot pause: it is too late');
  });
});
