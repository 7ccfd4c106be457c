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

const indices = new WeakMap<Plan, PlanIndex>();

export function membersOf(plan: Plan, wave: number): readonly number[] {
  return indexOf(plan).waves.get(wave) ?? [];
}

export function serversOf(plan: Plan, cluster: string): readonly number[] {
  return indexOf(plan).clusters.get(cluster) ?? [];
}

function indexOf(plan: Plan): PlanIndex {
  const known = indices.get(plan) ?? { waves: placesBy(plan, ({ wave }) => wave), clusters: placesBy(plan, ({ serves }) => serves) };
  indices.set(plan, known);
  return known;
}

function placesBy<Key>({ nodes }: Plan, keyOf: (node: Plan['nodes'][number]) => Key): ReadonlyMap<Key, readonly number[]> {
  const places = new Map<Key, number[]>();
  for (const [place, node] of nodes.entries()) {
    const key = keyOf(node);
    const known = places.get(key);
    if (known) known.push(place);
    else places.set(key, [place]);
  }
  return places;
}
