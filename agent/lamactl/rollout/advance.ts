// SPDX-License-Identifier: Apache-2.0
import type { RolloutEffect } from './event.ts';
import { membersOf, serversOf } from './plan-index.ts';
import { isDown, type NodeProgress, type RolloutState } from './state.ts';

/** The next state, and what is to be done once it is on record. */
export interface Advance {
  readonly state: RolloutState;
  readonly effects: readonly RolloutEffect[];
}

/**
 * What a rollout does by itself after anything has happened: the next nodes, the next wave, its end. `askAbsent`: nodes that
 * were away are asked again, which is worth a try now and then.
 */
export function advance(state: RolloutState, atMs: number, askAbsent: boolean): Advance {
  switch (state.phase) {
    case 'running':
      return goOn(state, atMs, askAbsent);
    case 'aborting':
      return { state: state.nodes.some(isDown) ? state : { ...state, phase: 'aborted' }, effects: [] };
    case 'undoing':
      return undoMore(state);
    default:
      return { state, effects: [] };
  }
}

/** What a node that may be down needs of whoever begins to run the rollout, or hears that it is to be given up. */
export function again({ phase }: RolloutState, { step, attempt }: NodeProgress, node: number): readonly RolloutEffect[] {
  if (step === 'undoing') return [{ type: 'undo', node, attempt }];
  if (step !== 'in-flight') return [];
  if (phase === 'running') return [{ type: 'start', node, attempt }];
  return [{ type: phase === 'aborting' || phase === 'undoing' ? 'cancel' : 'settle', node, attempt }];
}

function goOn(state: RolloutState, atMs: number, askAbsent: boolean): Advance {
  const halted = haltedBy(state);
  if (halted !== undefined) return { state: { ...state, phase: 'halted', why: halted, rechecking: false }, effects: [] };
  if (state.wave >= state.plan.waves) return { state: { ...state, phase: 'done', why: '' }, effects: [] };
  const members = membersOf(state.plan, state.wave);
  if (!members.some((index) => isOpen(state.nodes[index]!))) return endWave(state, members, atMs);
  const next = startMore(state, members, askAbsent);
  // Nodes that were skipped may have been the last ones of the wave.
  return next.state === state ? next : withEffects(next, goOn(next.state, atMs, false));
}

const withEffects = (first: Advance, then: Advance): Advance => ({ state: then.state, effects: [...first.effects, ...then.effects] });

function haltedBy({ nodes, plan }: RolloutState): string | undefined {
  let [bad, rolledBack, failed] = [0, -1, -1];
  for (const [index, { step }] of nodes.entries()) {
    if (step === 'rolled-back' && rolledBack === -1) rolledBack = index;
    if (step === 'failed') failed = index;
    if (step === 'rolled-back' || step === 'failed') bad += 1;
  }
  if (bad <= plan.options.tolerate) return undefined;
  const index = rolledBack === -1 ? failed : rolledBack;
  return `${plan.nodes[index]?.name} ${rolledBack === -1 ? 'failed' : 'rolled back'}: ${nodes[index]?.why}`;
}

const isOpen = (node: NodeProgress): boolean => node.step === 'pending' || node.step === 'in-flight';

/** The wave has come to its end: it is watched for a while, looked at once more, and then comes the next. */
function endWave(state: RolloutState, members: readonly number[], atMs: number): Advance {
  const { soakMs } = state.plan.options;
  const done = members.filter((index) => state.nodes[index]!.step === 'done');
  if (state.rechecking) return { state, effects: [] };
  if (soakMs > 0 && done.length > 0) {
    if (state.soakUntilMs === null) return { state: { ...state, soakUntilMs: atMs + soakMs }, effects: [] };
    if (atMs < state.soakUntilMs) return { state, effects: [] };
    return { state: { ...state, rechecking: true }, effects: [{ type: 'recheck', nodes: done }] };
  }
  return advance(nextWave(state), atMs, false);
}

/** The wave is over, and paused after where that was asked for. */
export function nextWave(state: RolloutState): RolloutState {
  const next = { ...state, wave: state.wave + 1, soakUntilMs: null, rechecking: false };
  if (state.phase !== 'running' || state.plan.options.pauseAfter !== next.wave || next.wave >= state.plan.waves) return next;
  return { ...next, phase: 'paused', why: `it was to pause after wave ${next.wave}` };
}

/** Asks as many nodes of the wave as may be down at once whether they are there. The very same state where there is nothing to do. */
function startMore(state: RolloutState, members: readonly number[], askAbsent: boolean): Advance {
  const nodes = [...state.nodes];
  const current = { ...state, nodes };
  const effects: RolloutEffect[] = [];
  let free = state.plan.options.maxUnavailable - countOf(nodes, mayBeDown);
  const askThose = (wanted: (index: number) => boolean): void => {
    for (const index of members) {
      if (free <= 0) return;
      if (!waits(nodes[index]!) || !wanted(index)) continue;
      nodes[index] = { ...nodes[index]!, probing: true };
      effects.push({ type: 'probe', node: index });
      free -= 1;
    }
  };
  askThose((index) => !isAway(nodes[index]!) && !blockerOf(current, index));
  // After the others, so that they hold up nobody. Two servers that were away may both be back, and neither is to wait for the other.
  if (askAbsent) askThose((index) => isAway(nodes[index]!));
  return { state: withoutHopeless(effects.length === 0 ? state : current, members), effects };
}

function countOf(nodes: readonly NodeProgress[], counts: (node: NodeProgress) => boolean): number {
  let count = 0;
  for (const node of nodes) if (counts(node)) count += 1;
  return count;
}

const waits = ({ step, probing }: NodeProgress): boolean => step === 'pending' && !probing;
const mayBeDown = (node: NodeProgress): boolean => isDown(node) || node.probing === true;
const isAway = ({ absentSinceMs }: NodeProgress): boolean => absentSinceMs !== undefined;

type Blocker = 'for-now' | 'for-good';

/** Whether another server of the same k3s cluster is down, or may be: the cluster would lose its quorum. */
export function blockerOf({ plan, nodes }: RolloutState, index: number): Blocker | undefined {
  const { serves } = plan.nodes[index]!;
  if (serves === '') return undefined;
  let found: Blocker | undefined;
  for (const place of serversOf(plan, serves)) {
    if (place === index) continue;
    const node = nodes[place]!;
    if (node.step === 'failed' || node.step === 'undo-failed' || node.step === 'skipped') found ??= 'for-good';
    else if (mayBeDown(node) || isAway(node)) found = 'for-now';
  }
  return found;
}

function withoutHopeless(state: RolloutState, members: readonly number[]): RolloutState {
  const hopeless = members.filter((index) => waits(state.nodes[index]!) && blockerOf(state, index) === 'for-good');
  if (hopeless.length === 0) return state;
  const nodes = [...state.nodes];
  for (const index of hopeless) {
    const { absentSinceMs: _, ...rest } = nodes[index]!;
    nodes[index] = { ...rest, step: 'skipped', why: 'another server of its k3s cluster is down, and the cluster would lose its quorum' };
  }
  return { ...state, nodes };
}

/** Brings back as many nodes as may be down at once, those that came last first. */
function undoMore(state: RolloutState): Advance {
  const nodes = [...state.nodes];
  const current = { ...state, nodes };
  let free = state.plan.options.maxUnavailable - nodes.filter(isDown).length;
  const effects: RolloutEffect[] = [];
  for (let index = nodes.length - 1; index >= 0; index--) {
    const { step, attempt } = nodes[index]!;
    if ((step !== 'done' && step !== 'failed') || free <= 0 || blockedUndo(current, index)) continue;
    nodes[index] = { step: 'undoing', attempt, why: '' };
    effects.push({ type: 'undo', node: index, attempt });
    free -= 1;
  }
  const isOver = !nodes.some(({ step }) => isDown({ step, attempt: 0, why: '' }) || step === 'done' || step === 'failed');
  return { state: isOver ? { ...current, phase: 'undone' } : current, effects };
}

/** Servers go back one at a time, too, and those first that failed: their cluster may do without them already. */
function blockedUndo({ plan, nodes }: RolloutState, index: number): boolean {
  const { serves } = plan.nodes[index]!;
  const comesFirst = (place: number): boolean => nodes[place]!.step === 'failed' && nodes[index]!.step !== 'failed';
  return serves !== '' && serversOf(plan, serves).some((place) => place !== index && (isDown(nodes[place]!) || comesFirst(place)));
}
