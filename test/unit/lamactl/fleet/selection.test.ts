// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { selectTargets } from '../../../../agent/lamactl/fleet/selection.ts';

const identity = { ca: Buffer.of(), certificate: Buffer.of(), key: Buffer.of() };
const files = { name: 'home', ca: '/ca.pem', certificate: '/admin.pem', key: '/admin.key' };
const three = {
  ...files,
  nodes: { attic: { address: '10.0.0.5' }, cellar: { address: 'cellar.lan:7000', name: 'nas' }, shed: { address: 'fd00::5' } },
};
const single = { ...files, nodes: { attic: { address: '10.0.0.5' } } };

const select = (nodes: readonly string[], all = false, context: typeof three | typeof single = three) =>
  selectTargets({ nodes, all }, context, identity);

describe('the selection of nodes', () => {
  it('takes repeated names and comma lists, each node once, in that order', () => {
    expect(select(['shed,attic', 'attic']).map(({ name }) => name)).toEqual(['shed', 'attic']);
  });

  it('takes every node with --all', () => {
    expect(select([], true)).toMatchObject([
      { name: 'attic', address: '10.0.0.5:7443', tlsName: 'attic' },
      { name: 'cellar', address: 'cellar.lan:7000', tlsName: 'nas' },
      { name: 'shed', address: '[fd00::5]:7443', tlsName: 'shed' },
    ]);
  });

  it('takes the only node of a context', () => {
    expect(select([], false, single)).toHaveLength(1);
  });

  it('lists the nodes when none was named, and when there is none of that name', () => {
    expect(() => select([])).toThrow('context "home" holds attic, cellar, shed; name some with --node, or say --all');
    expect(() => select(['loft'])).toThrow('Cannot select node "loft": context "home" holds attic, cellar, shed');
    expect(() => select(['toString'])).toThrow('Cannot select node "toString"');
  });

  it('does not take names and --all together', () => {
    expect(() => select(['attic'], true)).toThrow('exclude each other');
  });
});
