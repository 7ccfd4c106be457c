// SPDX-License-Identifier: Apache-2.0
import type { Plan } from './plan.ts';

/**
 * Where a node stands in a rollout. Of what lies between the request and the end of an update nothing is kept: the node itself
 * knows it, and is asked again by whoever goes on.
 */
export const STEPS = [
  'pending',
  'in-flight',
  'done',
  'failed',
  'rolled-back',
  'skipped',
  'cancelled',
  'undoing',
  'undone',
  'undo-failed',
] as const;
export type Step = (typeof STEPS)[number];

export interface NodeProgress {
  readonly step: Step;
  /** Counts the requests that were decided on; a part of the operation's id. */
  readonly attempt: number;
  /** Why it waits, failed or was left; empty when all is well. */
  readonly why: string;
  /** Whether somebody asks now whether it is there; forgotten when the runner ends. */
  readonly probing?: true;
  /** When it was found away, for the first time in a row. */
  readonly absentSinceMs?: number;
}

export type RolloutPhase = 'running' | 'paused' | 'halted' | 'aborting' | 'aborted' | 'undoing' | 'undone' | 'done';

/** A rollout, whole. Times are milliseconds since the epoch. */
export interface RolloutState {
  readonly plan: Plan;
  readonly phase: RolloutPhase;
  /** Why it is paused or halted; empty otherwise. */
  readonly why: string;
  /** The wave that goes on, from 0; `plan.waves` after the last. */
  readonly wave: number;
  /** Until when the wave that has come to its end is watched; null while it has not. */
  readonly soakUntilMs: number | null;
  /** Whether the nodes of that wave are looked at once more; forgotten when the runner ends. */
  readonly rechecking: boolean;
  /** Of the bundle, as the first node found it: a URL may give others something else. */
  readonly manifestHash: string;
  /** By the place of each node in the plan. */
  readonly nodes: readonly NodeProgress[];
}

export function begin(plan: Plan): RolloutState {
  const nodes = plan.nodes.map((): NodeProgress => ({ step: 'pending', attempt: 0, why: '' }));
  return { plan, phase: 'running', why: '', wave: 0, soakUntilMs: null, rechecking: false, manifestHash: '', nodes };
}

/** Whether nothing of it goes on, or ever will. */
export function hasEnded({ phase }: RolloutState): boolean {
  return phase === 'done' || phase === 'aborted' || phase === 'undone';
}

/** Nodes that may be down because of the rollout. */
export const isDown = ({ step }: NodeProgress): boolean => step === 'in-flight' || step === 'undoing';

/** Whether it goes on only when somebody says so, and nothing that was begun is open. */
export function isAtRest(state: RolloutState): boolean {
  if (hasEnded(state)) return true;
  return (state.phase === 'paused' || state.phase === 'halted') && !state.nodes.some(isDown);
}

/** As many nodes as stand at each step. */
function tally({ nodes }: RolloutState): Readonly<Partial<Record<Step, number>>> {
  const counts: Partial<Record<Step, number>> = {};
  for (const { step } of nodes) counts[step] = (counts[step] ?? 0) + 1;
  return counts;
}

/** Where it stands, in a line: "2.0.0 to 12 nodes: running, wave 2 of 3; 4 done, 1 in-flight, 7 pending". */
export function summaryOf(state: RolloutState): string {
  const { plan, phase, wave } = state;
  const counts = Object.entries(tally(state)).map(([step, number]) => `${number} ${step}`);
  const place = phase === 'running' || phase === 'paused' ? `, wave ${Math.min(wave + 1, plan.waves)} of ${plan.waves}` : '';
  return `${plan.bundle.version || plan.bundle.argument} to ${plan.nodes.length} nodes: ${phase}${place}; ${counts.join(', ')}`.slice(
    0,
    300,
  );
}
