// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { selectTargets } from '../../../../agent/lamactl/contexts/selection.ts';

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

  const labelled = {
    ...files,
    nodes: {
      attic: { address: '10.0.0.5', labels: { role: 'k3s', site: 'home' } },
      cellar: { address: '10.0.0.6', labels: { role: 'nas', site: 'home' } },
      shed: { address: '10.0.0.7', labels: { role: 'k3s.nas', site: 'garden' } },
      loft: { address: '10.0.0.8' },
    },
  };
  const byLabel = (selectors: readonly string[], exclude: readonly string[] = []) =>
    selectTargets({ nodes: [], all: false, selectors, exclude }, labelled, identity).map(({ name }) => name);

  it.each([
    [['role=k3s'], ['attic', 'shed']],
    [['role=k3s,site=home'], ['attic']],
    [['role=nas'], ['cellar', 'shed']],
    [['role!=nas'], ['attic', 'loft']],
    [['role=k3s', 'site=home'], ['attic']],
    [['role!=k3s'], ['cellar', 'loft']],
    [['site'], ['attic', 'cellar', 'shed']],
    [['!site'], ['loft']],
    [['toString'], undefined],
  ])('takes the nodes whose labels are %j', (selectors, names) => {
    if (names) expect(byLabel(selectors)).toEqual(names);
    else expect(() => byLabel(selectors)).toThrow('none of the context is left');
  });

  it('leaves out what is excluded, and knows its names', () => {
    expect(byLabel(['role'], ['attic,cellar'])).toEqual(['shed']);
    expect(() => byLabel(['role'], ['barn'])).toThrow('Cannot select node "barn"');
    expect(() => byLabel(['role=k3s'], ['attic', 'shed'])).toThrow('none of the context is left');
  });

  it.each(['=k3s', 'role=a=b', '!role=k3s', 'role k3s', ''])('does not take "%s" for labels', (text) => {
    expect(() => byLabel([text])).toThrow('Cannot select by the label');
  });

  it('does not take names and --selector together', () => {
    expect(() => selectTargets({ nodes: ['attic'], all: false, selectors: ['role'] }, labelled, identity)).toThrow('exclude each other');
  });

  it('does not take names and --all together', () => {
    expect(() => select(['attic'], true)).toThrow('exclude each other');
  });
});
