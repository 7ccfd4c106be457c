// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newest } from '../../../../agent/lamactl/rollout/quorum.ts';
import { firstWorld, next, type Order, PLAN, type Sabotage, stateOf, type World } from './model.ts';

/** So many worlds of each scene are looked at, those of the shortest stories first; ROLLOUT_WORLDS=1000000 is enough for all of them. */
const MAX_WORLDS = Number(process.env.ROLLOUT_WORLDS ?? 5_000);

interface Explored {
  readonly worlds: number;
  /** Whether these are all that there are. */
  readonly isAll: boolean;
  /** The ones in which nothing more happens. */
  readonly ends: readonly World[];
}

/** Looks at the worlds that can come of the first one; `deep`: one story to its end before the next. */
function explore(first: World, sabotage: Sabotage = {}, deep = false): Explored {
  const seen = new Set([keyOf(first)]);
  const ends: World[] = [];
  const queue = [first];
  let place = 0;
  for (let world = queue[0]; world; world = deep ? queue.pop() : queue[++place]) {
    check(world);
    let moves = 0;
    for (const following of next(world, sabotage)) {
      moves += 1;
      const key = keyOf(following);
      if (seen.has(key) || seen.size >= MAX_WORLDS) continue;
      seen.add(key);
      queue.push(following);
    }
    if (moves === 0) ends.push(world);
  }
  return { worlds: seen.size, isAll: seen.size < MAX_WORLDS, ends };
}

const keyOf = (world: World): string => createHash('sha1').update(JSON.stringify(world)).digest('base64');

class Broken extends Error {}

/** What must be true in every world. */
function check(world: World): void {
  const { nodes } = world;
  const down = nodes.flatMap(({ doing }, index) => (doing === 'updating' || doing === 'undoing' ? [index] : []));
  if (down.length > PLAN.options.maxUnavailable) throw new Broken(`nodes ${down} are down at once`);
  const waves = new Set(nodes.flatMap(({ doing }, index) => (doing === 'updating' ? [PLAN.nodes[index]!.wave] : [])));
  if (waves.size > 1) throw new Broken('two waves go on at once');
  for (const [index, { doing, installs }] of nodes.entries()) {
    if (installs > 1) throw new Broken(`node ${index} was updated twice`);
    if (doing === 'updating') requireKnown(world, index);
  }
}

/** Whoever asks any majority of the witnesses learns of an update that goes on. */
function requireKnown({ nodes }: World, index: number): void {
  for (const absent of nodes.keys()) {
    const copies = nodes
      .filter((_, witness) => witness !== absent)
      .map(({ record }) => ({ writtenEpoch: record?.epoch ?? 0, sequence: record?.sequence ?? 0, text: record?.text ?? '' }));
    const copy = newest(copies);
    const step = copy && stateOf(copy.text).nodes[index]!.step;
    if (step !== 'in-flight') throw new Broken(`node ${index} is updated, and the record of a majority says ${step}`);
  }
}

/** What the newest record says in the end. */
const phaseIn = ({ nodes }: World): string => {
  const copies = nodes.map(({ record }) => ({
    writtenEpoch: record?.epoch ?? 0,
    sequence: record?.sequence ?? 0,
    text: record?.text ?? '',
  }));
  const copy = newest(copies);
  return copy ? stateOf(copy.text).phase : 'nothing';
};

const SCENES: readonly (readonly [name: string, orders: readonly (readonly Order[])[], crashes: number, rollbacks: number])[] = [
  ['one machine, which ends anywhere and takes up again', [['start', 'take-over']], 1, 1],
  ['a second machine takes over while the first goes on', [['start'], ['take-over']], 0, 1],
  ['a second machine takes over from one that ended anywhere', [['start'], ['take-over']], 1, 0],
  ['two machines take over at once', [['start', 'take-over'], ['take-over']], 1, 0],
  ['a second machine pauses, and resumes', [['start'], ['pause', 'resume']], 1, 0],
  ['a second machine aborts while the first goes on', [['start'], ['abort']], 0, 0],
  ['a second machine aborts after the first ended anywhere', [['start'], ['abort']], 1, 1],
  ['a second machine undoes', [['start'], ['undo']], 1, 0],
  ['one machine pauses while the other aborts', [['start', 'pause'], ['abort']], 0, 0],
];

describe('the protocol of a rollout', () => {
  it.each(SCENES)('holds when %s', { timeout: 3_600_000 }, (name, orders, crashes, rollbacks) => {
    const { worlds, isAll, ends } = explore(firstWorld(orders, crashes, rollbacks));
    const phases = [...new Set(ends.map(phaseIn))].sort();
    const number = `${isAll ? 'all' : 'the first'} ${worlds.toLocaleString('en')} worlds`;
    process.stdout.write(`model check: ${name}: ${number}, ${ends.length} ends (${phases.join(', ')})\n`);
    expect(worlds).toBeGreaterThan(100);
  });

  it('comes to its end however often a machine takes it over, once none ends in the middle', { timeout: 600_000 }, () => {
    const { ends } = explore(firstWorld([['start', 'take-over']], 1, 0));
    expect(ends.length).toBeGreaterThan(0);
    for (const end of ends.filter((_, index) => index % 50 === 0)) {
      // Another machine takes up what is left, and nothing disturbs it.
      const { ends: last } = explore({ ...end, orders: [['take-over']], crashes: 0 });
      for (const world of last) expect(['done', 'nothing']).toContain(phaseIn(world));
    }
  });

  it.each<[string, Sabotage]>([
    ['acts before its record is on a majority', { actsFirst: true }],
    ['believes a single witness', { believesOne: true }],
    ['is obeyed although it was fenced off', { noFence: true }],
  ])('is seen to break when a runner %s', { timeout: 600_000 }, (_what, sabotage) => {
    const all = () => {
      for (const deep of [true, false]) {
        for (const [_name, orders, crashes, rollbacks] of SCENES) explore(firstWorld(orders, crashes, rollbacks), sabotage, deep);
      }
    };
    expect(all).toThrow(Broken);
  });
});
