// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeNode } from '../../fake-node.ts';
import { FakeWorld, worldCertificates } from '../../fake-world.ts';

const certificates = worldCertificates();
afterAll(() => certificates.remove());

describe('lamactl resume', () => {
  it('tells every selected node, and says how to watch it', async () => {
    const nodes = { attic: new FakeNode(), cellar: new FakeNode() };
    const one = new FakeWorld(nodes, certificates);
    expect(await one.run('resume --all')).toBe(0);
    expect([nodes.attic.orders, nodes.cellar.orders]).toEqual([['resume'], ['resume']]);
    expect(one.stdout.text).toContain('cellar: update op-1 goes on');
    expect(one.stdout.text).toContain('watch -n cellar');
  });

  it('ends with 7 when the node refuses it', async () => {
    const attic = new FakeNode();
    attic.answers = { resume: async () => Promise.reject(new Failure('POINT_OF_NO_RETURN', 'Cannot resume: it is too late')) };
    const one = new FakeWorld({ attic }, certificates);
    expect(await one.run('resume')).toBe(7);
    expect(one.stderr.text).toContain('Cannot resume: it is too late');
  });
});
