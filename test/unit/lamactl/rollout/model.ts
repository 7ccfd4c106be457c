// SPDX-License-Identifier: Apache-2.0
import { put, type Register, requireEpoch, take } from '../../../../agent/daemon/rollout/register.ts';
import type { RolloutEffect, RolloutEvent } from '../../../../agent/lamactl/rollout/event.ts';
import type { Plan } from '../../../../agent/lamactl/rollout/plan.ts';
import { majorityOf, newest } from '../../../../agent/lamactl/rollout/quorum.ts';
import { begin, isAtRest, type RolloutState } from '../../../../agent/lamactl/rollout/state.ts';
import { transition } from '../../../../agent/lamactl/rollout/transition.ts';
import { planOf } from './plans.ts';

/*
 * A small world in which two of the administrator's machines run one rollout over two nodes, in two waves; a third is a witness, too. The
 * rules of the runner, of the record and of the nodes are the product's own functions; what is modelled is everything that may
 * come between them: steps in any order, requests that arrive late or never, answers that are lost, machines that end anywhere.
 */

/** What a machine of the administrator was asked to do. */
export type Order = 'start' | 'take-over' | 'pause' | 'resume' | 'abort' | 'undo';

export const PLAN: Plan = { ...planOf([['a'], ['b']]), witnesses: ['a', 'b', 'c'] };
const WITNESSES = [0, 1, 2] as const;
const QUORUM = majorityOf(WITNESSES.length);

/** What a node does with the only update that it is ever asked for; `undone` and `cancelled` nodes run the old version. */
type Doing = 'old' | 'updating' | 'new' | 'rolled-back' | 'cancelled' | 'undoing' | 'undone';

interface ModelNode {
  readonly doing: Doing;
  readonly installs: number;
  /** Its register; what is written in it is a state, as text. */
  readonly promised: { readonly epoch: number; readonly holder: string } | null;
  readonly record: { readonly epoch: number; readonly sequence: number; readonly text: string } | null;
}

interface Message {
  readonly holder: string;
  readonly epoch: number;
  readonly effect: Exclude<RolloutEffect, { type: 'probe' | 'recheck' }>;
}

interface Runner {
  readonly order: Order;
  readonly stage: 'taking' | 'recording' | 'going';
  readonly holder: string;
  readonly epoch: number;
  readonly sequence: number;
  /** The witnesses that took the claim, or the record; and those that refused it. */
  readonly acks: readonly number[];
  readonly refused: readonly number[];
  readonly copies: readonly { readonly writtenEpoch: number; readonly sequence: number; readonly text: string }[];
  readonly text: string;
  /** To be carried out once the record is on a majority. */
  readonly effects: readonly RolloutEffect[];
  /** Carried out, and not answered yet. */
  readonly open: readonly RolloutEffect[];
}

export interface World {
  readonly nodes: readonly ModelNode[];
  /** Null: it is off. */
  readonly runners: readonly (Runner | null)[];
  readonly network: readonly Message[];
  /** What each machine may still be asked, in that order. */
  readonly orders: readonly (readonly Order[])[];
  readonly crashes: number;
  readonly rollbacks: number;
}

export function firstWorld(orders: World['orders'], crashes: number, rollbacks: number): World {
  const node: ModelNode = { doing: 'old', installs: 0, promised: null, record: null };
  return { nodes: WITNESSES.map(() => node), runners: orders.map(() => null), network: [], orders, crashes, rollbacks };
}

/** Leaves out a rule of the protocol, so that a test can see the check find it. */
export interface Sabotage {
  /** Acts before the record is on a majority. */
  readonly actsFirst?: boolean;
  /** Takes what the first witness says, instead of the newest of a majority. */
  readonly believesOne?: boolean;
  /** Nodes take commands of runners that were fenced off. */
  readonly noFence?: boolean;
}

export const stateOf = (text: string): RolloutState => ({ plan: PLAN, ...JSON.parse(text) }) as RolloutState;
const textOf = ({ plan: _, rechecking: _r, nodes, ...state }: RolloutState): string =>
  JSON.stringify({ ...state, rechecking: false, nodes: nodes.map(({ step, attempt, why }) => ({ step, attempt, why })) });
const live = (state: RolloutState): string => {
  const { plan: _, ...rest } = state;
  return JSON.stringify(rest);
};

/** Every world that may come next. */
export function* next(world: World, sabotage: Sabotage = {}): Generator<World> {
  for (const [index, runner] of world.runners.entries()) {
    if (!runner) yield* switchOn(world, index);
    else yield* stepsOf(world, index, runner, sabotage);
  }
  for (const [index, message] of world.network.entries()) yield arrive(world, index, message, sabotage);
  for (const [index, node] of world.nodes.entries()) {
    if (node.doing === 'updating') {
      yield withNode(world, index, { doing: 'new' });
      if (world.rollbacks > 0) yield { ...withNode(world, index, { doing: 'rolled-back' }), rollbacks: world.rollbacks - 1 };
    }
    if (node.doing === 'undoing') yield withNode(world, index, { doing: 'undone' });
  }
}

function* switchOn(world: World, index: number): Generator<World> {
  const [order, ...later] = world.orders[index] ?? [];
  if (!order) return;
  const epochs = world.nodes.map(({ promised }) => promised?.epoch ?? 0);
  const epoch = Math.max(...epochs) + 1;
  if (order === 'start' ? epoch > 1 : epoch === 1) return;
  const fresh = { order, holder: `${index}.${later.length}`, epoch, sequence: 0, acks: [], refused: [], copies: [], effects: [], open: [] };
  yield withRunner({ ...world, orders: world.orders.with(index, later) }, index, { ...fresh, stage: 'taking', text: '' });
}

function* stepsOf(world: World, index: number, runner: Runner, sabotage: Sabotage): Generator<World> {
  if (world.crashes > 0) yield { ...withRunner(world, index, null), crashes: world.crashes - 1 };
  if (runner.stage === 'going') return yield* goOn(world, index, runner, sabotage);
  for (const witness of WITNESSES) {
    if (runner.acks.includes(witness) || runner.refused.includes(witness)) continue;
    const asked = runner.stage === 'taking' ? askTake(world, witness, runner) : askPut(world, witness, runner);
    if (!asked) {
      // The others may still be a majority.
      const refused = [...runner.refused, witness].sort();
      yield withRunner(world, index, refused.length > WITNESSES.length - QUORUM ? null : { ...runner, refused });
      continue;
    }
    yield afterAck(asked.world, index, asked.runner, sabotage);
    // The witness heard it, and its answer is lost.
    if (world.crashes > 0) yield { ...withRunner(asked.world, index, null), crashes: world.crashes - 1 };
  }
}

const registerOf = ({ promised, record }: ModelNode): Register | undefined => {
  if (!promised) return undefined;
  const bytes = { plan: Buffer.of(), progress: Buffer.from(record?.text ?? '') };
  return { promised, ...(record && { record: { ...record, ...bytes, witnesses: [], summary: '', ended: false } }) };
};

function askTake(world: World, witness: number, runner: Runner): { world: World; runner: Runner } | undefined {
  const node = world.nodes[witness]!;
  try {
    const { promised } = take(registerOf(node), runner);
    const { record } = node;
    const copy = { writtenEpoch: record?.epoch ?? 0, sequence: record?.sequence ?? 0, text: record?.text ?? '' };
    const asked = { ...runner, acks: [...runner.acks, witness].sort(), copies: [...runner.copies, copy].sort(byRecord) };
    return { world: withNode(world, witness, { promised }), runner: asked };
  } catch {
    return undefined;
  }
}

function askPut(world: World, witness: number, runner: Runner): { world: World; runner: Runner } | undefined {
  const { epoch, sequence, holder } = runner;
  const text = textOf(stateOf(runner.text));
  const offered = { epoch, sequence, witnesses: [], summary: '', ended: false, plan: Buffer.of(), progress: Buffer.from(text) };
  try {
    const { promised } = put(registerOf(world.nodes[witness]!), holder, offered);
    const written = withNode(world, witness, { promised, record: { epoch, sequence, text } });
    return { world: written, runner: { ...runner, acks: [...runner.acks, witness].sort() } };
  } catch {
    return undefined;
  }
}

function afterAck(world: World, index: number, runner: Runner, sabotage: Sabotage): World {
  if (runner.acks.length < (sabotage.believesOne && runner.stage === 'taking' ? 1 : QUORUM)) return withRunner(world, index, runner);
  return runner.stage === 'taking' ? begun(world, index, runner, sabotage) : actOn(world, index, runner);
}

/** It goes on where the newest record ends, and does what it was asked. */
function begun(world: World, index: number, runner: Runner, sabotage: Sabotage): World {
  const copy = newest(runner.copies);
  if (!copy && runner.order !== 'start') return withRunner(world, index, null);
  const sequence = copy?.sequence ?? 0;
  const state = copy ? stateOf(copy.text) : begin(PLAN);
  const { order } = runner;
  try {
    // What is asked comes first: nobody shall start anything for a rollout that is to be paused.
    const asked = order === 'start' || order === 'take-over' ? state : transition(state, { type: order, atMs: 0 }).state;
    return taken(world, index, { ...runner, sequence, text: live(asked) }, { type: 'runner-began', atMs: 0 }, sabotage);
  } catch {
    return withRunner(world, index, null);
  }
}

/** Takes an event: the new state is to be recorded, and its effects wait for that. */
function taken(world: World, index: number, runner: Runner, event: RolloutEvent, sabotage: Sabotage): World {
  const { state, effects } = transition(stateOf(runner.text), event);
  const recording: Runner = {
    ...runner,
    stage: 'recording',
    acks: [],
    refused: [],
    text: live(state),
    sequence: runner.sequence + 1,
    effects,
  };
  return sabotage.actsFirst
    ? { ...actOn(world, index, recording), runners: world.runners.with(index, { ...opened(recording), stage: 'recording' }) }
    : withRunner(world, index, recording);
}

/** In whatever order things came, the worlds that they lead to are the same. */
const byRecord = (a: Runner['copies'][number], b: Runner['copies'][number]): number =>
  a.writtenEpoch - b.writtenEpoch || a.sequence - b.sequence;

const isMessage = (effect: RolloutEffect): effect is Message['effect'] => effect.type !== 'probe' && effect.type !== 'recheck';
const opened = (runner: Runner): Runner => ({
  ...runner,
  stage: 'going',
  acks: [],
  refused: [],
  effects: [],
  open: [...runner.open, ...runner.effects],
});

function actOn(world: World, index: number, runner: Runner): World {
  const { epoch, holder, effects } = runner;
  const sent = effects.filter(isMessage).map((effect) => ({ epoch, holder, effect }));
  return { ...withRunner(world, index, opened(runner)), network: [...world.network, ...sent] };
}

/** An answer to what it asked; once nothing goes on, it ends. */
function* goOn(world: World, index: number, runner: Runner, sabotage: Sabotage): Generator<World> {
  if (runner.open.length === 0 && isAtRest(stateOf(runner.text))) return yield withRunner(world, index, null);
  for (const [place, effect] of runner.open.entries()) {
    const answer = answerTo(world, runner, effect);
    if (answer) yield taken(world, index, { ...runner, open: runner.open.toSpliced(place, 1) }, answer, sabotage);
  }
}

function answerTo(world: World, { holder, epoch }: Runner, effect: RolloutEffect): RolloutEvent | undefined {
  if (effect.type === 'recheck') return { type: 'recheck-passed', atMs: 0 };
  const { node } = effect;
  if (effect.type === 'probe') return { type: 'node-answered', node, atMs: 0 };
  // Only what has arrived is answered.
  if (
    world.network.some(
      (message) =>
        message.effect === effect ||
        (message.epoch === epoch && message.holder === holder && message.effect.node === node && message.effect.type === effect.type),
    )
  )
    return undefined;
  switch (world.nodes[node]!.doing) {
    case 'old':
      if (effect.type === 'settle') return { type: 'node-not-started', node, atMs: 0 };
      return effect.type === 'cancel' ? { type: 'node-cancelled', node, atMs: 0 } : undefined;
    case 'new':
      return effect.type === 'undo' ? undefined : { type: 'node-committed', node, version: '2', manifestHash: 'x', atMs: 0 };
    case 'rolled-back':
      return effect.type === 'undo' ? { type: 'node-undone', node, atMs: 0 } : { type: 'node-rolled-back', node, why: 'x', atMs: 0 };
    case 'cancelled':
      return effect.type === 'undo' ? { type: 'node-undone', node, atMs: 0 } : { type: 'node-cancelled', node, atMs: 0 };
    case 'undone':
      return effect.type === 'undo' ? { type: 'node-undone', node, atMs: 0 } : { type: 'node-rolled-back', node, why: 'x', atMs: 0 };
    default:
      return undefined;
  }
}

/** A request arrives, and the node does it if whoever sent it is not fenced off. */
function arrive(world: World, place: number, { holder, epoch, effect }: Message, sabotage: Sabotage): World {
  const rest = { ...world, network: world.network.toSpliced(place, 1) };
  const node = world.nodes[effect.node]!;
  try {
    if (!sabotage.noFence) {
      const promised = node.promised && epoch === node.promised.epoch ? node.promised : { epoch, holder };
      requireEpoch(registerOf(node), epoch);
      return command(withNode(rest, effect.node, { promised }), effect);
    }
    return command(rest, effect);
  } catch {
    return rest;
  }
}

function command(world: World, { type, node: index }: Message['effect']): World {
  const { doing, installs } = world.nodes[index]!;
  if (type === 'start' && doing === 'old') return withNode(world, index, { doing: 'updating', installs: installs + 1 });
  if (type === 'cancel' && doing === 'updating') return withNode(world, index, { doing: 'cancelled' });
  if (type === 'undo' && doing === 'new') return withNode(world, index, { doing: 'undoing' });
  return world;
}

const withNode = (world: World, index: number, change: Partial<ModelNode>): World => ({
  ...world,
  nodes: world.nodes.with(index, { ...world.nodes[index]!, ...change }),
});
const withRunner = (world: World, index: number, runner: Runner | null): World => ({
  ...world,
  runners: world.runners.with(index, runner),
});
