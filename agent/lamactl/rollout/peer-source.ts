// SPDX-License-Identifier: Apache-2.0
import type { Target } from '../node/node.ts';
import type { InstallRequest } from '../node/node-update.ts';
import { peerOf } from '../node/peer.ts';
import type { Plan } from './plan.ts';
import { membersOf } from './plan-index.ts';

/** A node tries three of them; more names than these would only make the request longer. */
const MOST_PEERS = 64;

/**
 * Where a node of a plan gets the bundle: with peers, from nodes of the waves before its own, which are over when it begins; and it
 * keeps the bundle for the waves after it. `targets` are the plan's nodes, in its order; undefined where one is not known any more.
 */
export function peerSource(
  plan: Pick<Plan, 'bundle' | 'options' | 'nodes' | 'waves'>,
  node: number,
  targets: readonly (Target | undefined)[],
): Pick<InstallRequest, 'source' | 'keepBundle'> {
  const { source } = plan.bundle;
  const wave = plan.nodes[node]?.wave ?? 0;
  if (plan.options.peers !== true || !('client' in source)) return { source };
  const first = membersOf(plan, wave)[0] ?? 0;
  const before = targets.slice(Math.max(0, first - MOST_PEERS), first).filter((target) => target !== undefined);
  return { source: { client: { ...source.client, peers: before.map(peerOf) } }, keepBundle: wave < plan.waves - 1 };
}
