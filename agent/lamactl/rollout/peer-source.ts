// SPDX-License-Identifier: Apache-2.0
import type { Target } from '../node/node.ts';
import type { InstallRequest } from '../node/node-update.ts';
import { peerOf } from '../node/peer.ts';
import type { Plan } from './plan.ts';

/** A node tries three of them; more names than these would only make the request longer. */
const MOST_PEERS = 64;

/**
 * Where a node of a plan gets the bundle: with peers, from nodes of the waves before its own, which are over when it begins; and it
 * keeps the bundle for the waves after it. `targets` are the plan's nodes, in its order; undefined where one is not known any more.
 */
export function peerSource(
  { bundle: { source }, options, nodes, waves }: Pick<Plan, 'bundle' | 'options' | 'nodes' | 'waves'>,
  node: number,
  targets: readonly (Target | undefined)[],
): Pick<InstallRequest, 'source' | 'keepBundle'> {
  const wave = nodes[node]?.wave ?? 0;
  if (options.peers !== true || !('client' in source)) return { source };
  const before = targets.filter((_, index) => (nodes[index]?.wave ?? wave) < wave).filter((target) => target !== undefined);
  const peers = before.slice(-MOST_PEERS).map(peerOf);
  return { source: { client: { ...source.client, peers } }, keepBundle: wave < waves - 1 };
}
