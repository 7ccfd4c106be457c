// SPDX-License-Identifier: Apache-2.0
import type { RolloutEffect } from './event.ts';
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
  const members = waveOf(state);
  if (!members.some((index) => isOpen(state.nodes[index]!))) return endWave(state, members, atMs);
  const next = startMore(state, members, askAbsent);
  // Nodes that were skipped may have been the last ones of the wave.
  return next.state.nodes.every((node, index) => node === state.nodes[index]) ? next : withEffects(next, goOn(next.state, atMs, false));
}

const withEffects = (first: Advance, then: Advance): Advance => ({ state: then.state, effects: [...first.effects, ...then.effects] });

function haltedBy({ nodes, plan }: RolloutState): string | undefined {
  const bad = nodes.flatMap(({ step, why }, index) => (step === 'failed' || step === 'rolled-back' ? [{ step, why, index }] : []));
  if (bad.length <= plan.options.tolerate) return undefined;
  const last = bad.find(({ step }) => step === 'rolled-back') ?? bad[bad.length - 1]!;
  return `${plan.nodes[last.index]?.name} ${last.step === 'failed' ? 'failed' : 'rolled back'}: ${last.why}`;
}

function waveOf({ plan, wave }: RolloutState): readonly number[] {
  return plan.nodes.flatMap((node, index) => (node.wave === wave ? [index] : []));
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

/** Asks as many nodes of the wave as may be down at once whether they are there. */
function startMore(state: RolloutState, members: readonly number[], askAbsent: boolean): Advance {
  const { maxUnavailable } = state.plan.options;
  const nodes = [...state.nodes];
  const current = { ...state, nodes };
  let free = maxUnavailable - nodes.filter((node) => isDown(node) || node.probing).length;
  const effects: RolloutEffect[] = [];
  const waiting = members.filter((index) => nodes[index]!.step === 'pending' && !nodes[index]!.probing);
  const away = askAbsent ? waiting.filter((index) => isAway(nodes[index]!)) : [];
  // Those that were away are asked after the others, so that they hold up nobody.
  for (const index of [...waiting.filter((index) => !isAway(nodes[index]!)), ...away]) {
    if (free <= 0) break;
    // Two servers that were away may both be back, and neither is to wait for the other.
    if (!isAway(nodes[index]!) && blockerOf(current, index)) continue;
    nodes[index] = { ...nodes[index]!, probing: true };
    effects.push({ type: 'probe', node: index });
    free -= 1;
  }
  return { state: withoutHopeless(current, members), effects };
}

const isAway = ({ absentSinceMs }: NodeProgress): boolean => absentSinceMs !== undefined;

type Blocker = 'for-now' | 'for-good';

/** Whether another server of the same k3s cluster is down, or may be: the cluster would lose its quorum. */
export function blockerOf({ plan, nodes }: RolloutState, index: number): Blocker | undefined {
  const { serves } = plan.nodes[index]!;
  if (serves === '') return undefined;
  let found: Blocker | undefined;
  plan.nodes.forEach((other, place) => {
    if (place === index || other.serves !== serves) return;
    const node = nodes[place]!;
    if (node.step === 'failed' || node.step === 'undo-failed' || node.step === 'skipped') found ??= 'for-good';
    else if (isDown(node) || node.probing || isAway(node)) found = 'for-now';
  });
  return found;
}

function withoutHopeless(state: RolloutState, members: readonly number[]): RolloutState {
  const nodes = [...state.nodes];
  for (const index of members) {
    const node = nodes[index]!;
    if (node.step !== 'pending' || node.probing || blockerOf(state, index) !== 'for-good') continue;
    const { absentSinceMs: _, ...rest } = node;
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

/** Servers go back one at a time, too; one that failed is on its way back itself. */
function blockedUndo({ plan, nodes }: RolloutState, index: number): boolean {
  const { serves } = plan.nodes[index]!;
  return serves !== '' && plan.nodes.some((other, place) => place !== index && other.serves === serves && isDown(nodes[place]!));
}
