// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { type Advance, advance, again, blockerOf, nextWave } from './advance.ts';
import type { RolloutEvent } from './event.ts';
import { hasEnded, isDown, type NodeProgress, type RolloutPhase, type RolloutState, type Step } from './state.ts';

const MAX_ATTEMPTS = 3;

/**
 * The life of a rollout: what each event means, and what is to be done next. Pure: no clock, no wait, no input, no output. The
 * new state has to be on record before its effects are carried out. Throws ROLLOUT_REFUSED for what an administrator may not say now.
 */
export function transition(state: RolloutState, event: RolloutEvent): Advance {
  const { state: taken, effects } = take(state, event);
  const next = advance(taken, event.atMs, event.type === 'time-passed');
  return { state: next.state, effects: [...effects, ...next.effects] };
}

function take(state: RolloutState, event: RolloutEvent): Advance {
  switch (event.type) {
    case 'time-passed':
      return only(withoutAbsent(state, event.atMs));
    case 'machine-slept':
      return only({ ...state, nodes: state.nodes.map(({ absentSinceMs: _, ...node }) => node) });
    case 'runner-began':
      return takeUp(state);
    case 'pause':
    case 'resume':
    case 'abort':
    case 'undo':
      return command(state, event.type);
    case 'recheck-passed':
      return only(state.rechecking ? nextWave(state) : state);
    case 'recheck-failed': {
      const failed = withNode({ ...state, rechecking: false }, event.node, { step: 'failed', why: event.why });
      return only(failed);
    }
    default:
      return started(state, nodeEvent(state, event), event.node);
  }
}

/** A node that is in flight now, and was not before, is to be asked. */
function started(before: RolloutState, after: RolloutState, node: number): Advance {
  const { step, attempt = 0 } = after.nodes[node] ?? {};
  if (step !== 'in-flight' || before.nodes[node]?.step === 'in-flight') return only(after);
  return { state: after, effects: [{ type: 'start', node, attempt }] };
}

const only = (state: RolloutState): Advance => ({ state, effects: [] });

/** Whoever begins knows of no node what it does now: each that may be down is asked, and patience begins anew. */
function takeUp(state: RolloutState): Advance {
  const nodes = state.nodes.map(({ probing: _p, absentSinceMs: _a, ...node }) => node);
  const fresh = { ...state, nodes, rechecking: false };
  return { state: fresh, effects: fresh.nodes.flatMap((node, index) => again(fresh, node, index)) };
}

const ALLOWED: Readonly<Record<'pause' | 'resume' | 'abort' | 'undo', readonly RolloutPhase[]>> = {
  pause: ['running', 'paused'],
  resume: ['running', 'paused', 'halted'],
  abort: ['running', 'paused', 'halted', 'aborting', 'aborted'],
  undo: ['running', 'paused', 'halted', 'aborting', 'aborted', 'done', 'undoing', 'undone'],
};

function command(state: RolloutState, what: keyof typeof ALLOWED): Advance {
  if (!ALLOWED[what].includes(state.phase)) throw refused(what, `it is ${state.phase}`);
  switch (what) {
    case 'pause':
      return only(state.phase === 'running' ? { ...state, phase: 'paused', why: 'an administrator paused it' } : state);
    case 'resume':
      return only(resume(state));
    case 'abort':
      return hasEnded(state) ? only(state) : askedAgain({ ...state, phase: 'aborting', why: '' });
    case 'undo':
      return state.phase === 'undone' ? only(undoAgain(state)) : askedAgain({ ...state, phase: 'undoing', why: '' });
  }
}

/** A node that was off may be back. */
function undoAgain(state: RolloutState): RolloutState {
  if (!state.nodes.some(({ step }) => step === 'undo-failed')) return state;
  const nodes = state.nodes.map((node): NodeProgress => (node.step === 'undo-failed' ? { ...node, step: 'done' } : node));
  return { ...state, nodes, phase: 'undoing' };
}

/** What is in flight is to be given up from now on. */
function askedAgain(state: RolloutState): Advance {
  return { state, effects: state.nodes.flatMap((node, index) => again(state, node, index)) };
}

/** Nodes that failed are asked once more; a version that was rolled back is not tried on others. */
function resume(state: RolloutState): RolloutState {
  if (state.phase !== 'halted') return { ...state, phase: 'running', why: '' };
  if (state.nodes.some(isDown)) throw refused('resume', 'updates that were begun before it halted have not come to their end yet');
  const rolledBack = state.nodes.findIndex(({ step }) => step === 'rolled-back');
  if (rolledBack !== -1 && state.plan.options.tolerate === 0) {
    const name = state.plan.nodes[rolledBack]?.name;
    throw refused('resume', `the version was rolled back on ${name}; abort the rollout, or undo it`);
  }
  const nodes = state.nodes.map((node): NodeProgress => (node.step === 'failed' ? { ...node, step: 'pending' } : node));
  // A node of a wave that had ended may be among them.
  const first = state.plan.nodes.findIndex((_, index) => nodes[index]?.step === 'pending');
  const wave = first === -1 ? state.wave : Math.min(state.wave, state.plan.nodes[first]!.wave);
  return { ...state, nodes, wave, phase: 'running', why: '', soakUntilMs: null, rechecking: false };
}

function refused(what: string, found: string): Failure {
  return new Failure('ROLLOUT_REFUSED', `Cannot ${what} the rollout: ${found}`);
}

type NodeEvent = Extract<RolloutEvent, { readonly node: number }>;

function nodeEvent(state: RolloutState, event: Exclude<NodeEvent, { type: 'recheck-failed' }>): RolloutState {
  const node = state.nodes[event.node];
  if (!node) return state;
  switch (event.type) {
    case 'node-answered':
      return node.probing ? withNode(state, event.node, answered(state, node, event.node)) : state;
    case 'node-absent': {
      if (!node.probing) return state;
      return withNode(state, event.node, { probing: false, why: event.why, absentSinceMs: node.absentSinceMs ?? event.atMs });
    }
    case 'node-undone':
      return when(state, event.node, 'undoing', { step: 'undone', why: '' });
    case 'node-undo-failed':
      return when(state, event.node, 'undoing', { step: 'undo-failed', why: event.why });
    case 'node-not-started':
      return when(state, event.node, 'in-flight', { step: 'pending' });
    case 'node-cancelled':
      return when(state, event.node, 'in-flight', { step: 'cancelled', why: '' });
    case 'node-rolled-back':
      return when(state, event.node, 'in-flight', { step: 'rolled-back', why: event.why });
    case 'node-failed':
      return when(state, event.node, 'in-flight', failed(state, node, event));
    case 'node-committed':
      return committed(state, event);
  }
}

/** In flight from the moment that this is on record: the request comes afterwards. */
function answered(state: RolloutState, node: NodeProgress, index: number): Change {
  const there = { probing: false, absentSinceMs: null, why: '' } as const;
  // A node that was asked before a "resume" went back to an earlier wave is asked again when it is its turn.
  const mayStart = state.phase === 'running' && state.plan.nodes[index]?.wave === state.wave && !blockerOf(state, index);
  return mayStart ? { ...there, step: 'in-flight', attempt: node.attempt + 1 } : there;
}

function failed(state: RolloutState, node: NodeProgress, { why, again }: { readonly why: string; readonly again: boolean }): Change {
  if (!again || node.attempt >= MAX_ATTEMPTS) return { step: 'failed', why };
  return { step: state.phase === 'aborting' || state.phase === 'undoing' ? 'cancelled' : 'pending', why };
}

function committed(state: RolloutState, event: Extract<RolloutEvent, { type: 'node-committed' }>): RolloutState {
  const { version, manifestHash } = event;
  if (state.manifestHash !== '' && manifestHash !== state.manifestHash) {
    const why = `it installed another bundle than the nodes before it (version ${version}): what lies behind the URL has changed`;
    return when(state, event.node, 'in-flight', { step: 'failed', why });
  }
  return when({ ...state, manifestHash }, event.node, 'in-flight', { step: 'done', why: '' });
}

/** Goes on without nodes that have been away for too long. */
function withoutAbsent(state: RolloutState, atMs: number): RolloutState {
  const { absentMs } = state.plan.options;
  if (state.phase !== 'running') return state;
  const nodes = state.nodes.map((node): NodeProgress => {
    if (node.step !== 'pending' || node.probing || node.absentSinceMs === undefined) return node;
    if (atMs - node.absentSinceMs < absentMs) return node;
    return { step: 'skipped', attempt: node.attempt, why: node.why };
  });
  return { ...state, nodes };
}

interface Change {
  readonly step?: Step;
  readonly attempt?: number;
  readonly why?: string;
  readonly probing?: false;
  readonly absentSinceMs?: number | null;
}

/** An event that is late changes nothing. */
function when(state: RolloutState, index: number, step: Step, change: Change): RolloutState {
  return state.nodes[index]?.step === step ? withNode(state, index, change) : state;
}

function withNode(state: RolloutState, index: number, change: Change): RolloutState {
  const nodes = [...state.nodes];
  const { probing, absentSinceMs, ...before } = nodes[index]!;
  const { probing: asked = probing, absentSinceMs: away = absentSinceMs, ...rest } = change;
  nodes[index] = { ...before, ...rest, ...(asked && { probing: asked }), ...(away != null && { absentSinceMs: away }) };
  return { ...state, nodes };
}
