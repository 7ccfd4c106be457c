// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Target } from '../../../../agent/lamactl/node/node.ts';
import { peerSource } from '../../../../agent/lamactl/rollout/peer-source.ts';
import type { Plan } from '../../../../agent/lamactl/rollout/plan.ts';

const client = { name: 'v2.raucb', sizeBytes: 1_000, sha256: 'ab'.repeat(32) };
const WAVES = [0, 1, 1, 2];
const targets = ['attic', 'cellar', undefined, 'shed'].map(
  (name) => name && ({ name, tlsName: `${name}.lan`, address: `${name}.lan:7443` } as Target),
) as readonly (Target | undefined)[];

function plan(peers: boolean | undefined, source: Plan['bundle']['source'] = { client }): Parameters<typeof peerSource>[0] {
  return {
    bundle: { argument: '', source, version: '', compatible: '' },
    options: { ...(peers !== undefined && { peers }) } as Plan['options'],
    nodes: WAVES.map((wave, index) => ({ name: `${index}`, wave, serves: '' })),
    waves: 3,
  };
}

describe('where a node of a rollout gets the bundle', () => {
  it('is the administrator alone, unless nodes are to ask each other', () => {
    expect(peerSource(plan(undefined), 3, targets)).toEqual({ source: { client } });
    expect(peerSource(plan(true, { url: 'https://images.lan/v2.raucb' }), 3, targets)).toEqual({
      source: { url: 'https://images.lan/v2.raucb' },
    });
  });

  it('are the nodes of earlier waves, and of no other', () => {
    const peersOf = (node: number) => {
      const { source } = peerSource(plan(true), node, targets);
      return 'client' in source ? source.client.peers?.map(({ name }) => name) : undefined;
    };
    expect([0, 1, 3].map(peersOf)).toEqual([[], ['attic.lan'], ['attic.lan', 'cellar.lan']]);
  });

  it('is kept for later waves, where there are any', () => {
    expect([0, 1, 3].map((node) => peerSource(plan(true), node, targets).keepBundle)).toEqual([true, true, false]);
  });

  it('are no more than a request has room for', () => {
    const many = Array.from({ length: 100 }, () => targets[0]);
    const nodes = many.map((_, index) => ({ name: '', wave: index < 99 ? 0 : 1, serves: '' }));
    const { source } = peerSource({ ...plan(true), nodes, waves: 2 }, 99, many);
    expect('client' in source && source.client.peers).toHaveLength(64);
  });
});
