// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { majorityOf, newest } from '../../../../agent/lamactl/rollout/quorum.ts';
import { firstWorld, next, type Order, PLAN, type Sabotage, stateOf, type World } from './model.ts';

/** So many worlds of each scene are looked at, those of the shortest stories first; "npm run test:rollout" looks at a million. */
const MAX_WORLDS = Number(process.env.ROLLOUT_WORLDS ?? 2_000);
/** So many stories of each scene are told to their ends, whatever their length. */
const STORIES = Number(process.env.ROLLOUT_STORIES ?? 200);
const MOST_STEPS = 500;
const LATEST = 60;

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

/** A generator of numbers from 0 to 1, the same for the same seed: mulberry32. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Told {
  /** All that was met on the way. */
  readonly met: ReadonlySet<string>;
  readonly last: World;
}

/** One story, where each world is any of those that may come next: to its end, or broken off after so many steps. */
function tell(first: World, random: () => number, steps?: number): Told {
  const met = new Set<string>();
  let world = first;
  // A second machine that is switched on at any moment mostly comes at the beginning, too.
  const isLate = Math.floor(random() * LATEST);
  for (let step = 0; step < (steps ?? MOST_STEPS); step++) {
    check(world);
    for (const each of metIn(world)) met.add(each);
    const all = [...next(world)];
    if (all.length === 0) return { met, last: world };
    const early = step < isLate ? all.filter(({ runners }) => !runners[1] || world.runners[1]) : all;
    const following = early.length > 0 ? early : all;
    world = following[Math.floor(random() * following.length)]!;
  }
  if (steps !== undefined) return { met, last: world };
  throw new Broken(`a story has not come to its end after ${MOST_STEPS} steps`);
}

const metIn = (world: World): readonly string[] => [
  `on record: ${phaseIn(world)}`,
  ...world.nodes.flatMap(({ doing }, index) => (doing === 'old' ? [] : [`wave ${(PLAN.nodes[index]?.wave ?? 0) + 1}: ${doing}`])),
  ...(world.runners.filter((runner) => runner !== null).length > 1 ? ['two runners'] : []),
];

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

  it('holds in stories that are told to their ends, and these reach each phase and both waves', { timeout: 3_600_000 }, () => {
    const met = new Map<string, number>();
    for (const [place, [_name, orders, crashes, rollbacks]] of SCENES.entries()) {
      for (let story = 0; story < STORIES; story++) {
        // A machine that ends anywhere mostly ends at the beginning: every other story is spared.
        const first = firstWorld(orders, story % 2 === 0 ? 0 : crashes, story % 4 < 2 ? 0 : rollbacks);
        for (const each of tell(first, numbersFrom(place * 1_000_003 + story)).met) met.set(each, (met.get(each) ?? 0) + 1);
      }
    }
    const told = [...met].sort().map(([what, stories]) => `${what} (${stories})`);
    process.stdout.write(`model check: ${SCENES.length * STORIES} stories met ${told.join(', ')}\n`);
    const phases = ['running', 'paused', 'halted', 'aborting', 'aborted', 'undoing', 'undone', 'done'].map(
      (phase) => `on record: ${phase}`,
    );
    const wave = (number: number) => ['updating', 'new', 'undoing', 'undone'].map((doing) => `wave ${number}: ${doing}`);
    expect([...met.keys()]).toEqual(
      expect.arrayContaining([...phases, ...wave(1), ...wave(2), 'wave 1: rolled-back', 'wave 1: cancelled', 'two runners']),
    );
  });

  it('comes to its end however often a machine takes it over, wherever the ones before were switched off', { timeout: 3_600_000 }, () => {
    const ends: Record<string, number> = {};
    for (let story = 0; story < STORIES; story++) {
      const random = numbersFrom(story);
      let world = firstWorld([['start']], 0, 0);
      for (let machine = 0; machine < 3; machine++) {
        const { last } = tell(world, random, Math.floor(random() * LATEST));
        world = { ...last, runners: [null], orders: [['take-over']] };
      }
      const { last } = tell(world, random);
      // What a majority never had was never begun, and whoever takes over need not learn of it.
      const isDecided = world.nodes.filter(({ record }) => record).length >= majorityOf(world.nodes.length);
      const isUntouched = last.nodes.every(({ doing }) => doing === 'old');
      const end = isDecided || !isUntouched ? phaseIn(last) : 'never begun';
      ends[end] = (ends[end] ?? 0) + 1;
    }
    process.stdout.write(`model check: taken over three times: ${JSON.stringify(ends)}\n`);
    expect(Object.keys(ends).sort()).toEqual(['done', 'never begun']);
    expect(ends.done).toBeGreaterThan(STORIES / 2);
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
