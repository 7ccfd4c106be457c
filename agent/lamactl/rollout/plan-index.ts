// SPDX-License-Identifier: Apache-2.0
import type { Plan } from './plan.ts';

/*
 * What follows from a plan, which never changes, and is asked with every event: to look through ten thousand nodes each time would take
 * longer than all else that a rollout does.
 */

interface PlanIndex {
  /** The places of the nodes of each wave. */
  readonly waves: ReadonlyMap<number, readonly number[]>;
  /** The places of the servers of each k3s cluster. */
  readonly clusters: ReadonlyMap<string, readonly number[]>;
}

type PlanNodes = Plan['nodes'];

const indices = new WeakMap<PlanNodes, PlanIndex>();

export function membersOf({ nodes }: Pick<Plan, 'nodes'>, wave: number): readonly number[] {
  return indexOf(nodes).waves.get(wave) ?? [];
}

export function serversOf({ nodes }: Pick<Plan, 'nodes'>, cluster: string): readonly number[] {
  return indexOf(nodes).clusters.get(cluster) ?? [];
}

function indexOf(nodes: PlanNodes): PlanIndex {
  const known = indices.get(nodes) ?? { waves: placesBy(nodes, ({ wave }) => wave), clusters: placesBy(nodes, ({ serves }) => serves) };
  indices.set(nodes, known);
  return known;
}

function placesBy<Key>(nodes: PlanNodes, keyOf: (node: PlanNodes[number]) => Key): ReadonlyMap<Key, readonly number[]> {
  const places = new Map<Key, number[]>();
  for (const [place, node] of nodes.entries()) {
    const key = keyOf(node);
    const known = places.get(key);
    if (known) known.push(place);
    else places.set(key, [place]);
  }
  return places;
}
