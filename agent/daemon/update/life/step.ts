// SPDX-License-Identifier: Apache-2.0
import { Failure, type FailureCode } from '../../../shared/failure.ts';
import type { Effect, Written } from './effect.ts';
import type { RollbackCode } from './rollback-code.ts';
import type { EndedUpdate, Phase, Reason, StateOf, Update, UpdateState } from './state.ts';

/** What a transition comes to: the next state with the effects that it asks for, or a refusal of a command. */
export type Step = { readonly state: UpdateState; readonly effects: readonly Effect[] } | { readonly refusal: Failure };

export const stay = (state: UpdateState, ...effects: Effect[]): Step => ({ state, effects });
export const refuse = (code: FailureCode, message: string): Step => ({ refusal: new Failure(code, message) });

export const reasonFor = (code: RollbackCode, message: string, failedChecks: readonly string[] = []): Reason => ({
  code,
  message,
  failedChecks: [...failedChecks],
});

export const reasonOf = (failure: Failure): Reason => ({ code: failure.code, message: failure.message, failedChecks: [] });

type Fields<P extends Phase> = Omit<StateOf<P>, 'phase' | 'phaseChanges' | 'fetched'>;

/** The state in which an update enters a phase: the phase's own fields, and what it carries through all of them. */
export function enter<P extends Update['phase']>(
  phase: P,
  from: Pick<Update, 'phaseChanges' | 'fetched'>,
  atMs: number,
  fields: Fields<P>,
): StateOf<P> {
  const phaseChanges = [...from.phaseChanges, { phase, atMs }];
  return { ...fields, phase, phaseChanges, fetched: from.fetched } as unknown as StateOf<P>;
}

type InspectedState = StateOf<
  | 'installing'
  | 'installed'
  | 'activating'
  | 'pending-reboot'
  | 'trial'
  | 'checking'
  | 'committing'
  | 'committed'
  | 'rolling-back'
  | 'rolled-back'
>;
type TrialState = StateOf<'trial' | 'checking' | 'committing' | 'committed' | 'rolling-back' | 'rolled-back'>;

/** What every phase after the inspection keeps. Picked by name, so that no phase drags another's fields into the journal. */
export const inspectedFields = ({ operation, bundle, location, sourceSlot, targetSlot, armedBootId }: InspectedState) => ({
  operation,
  bundle,
  location,
  sourceSlot,
  targetSlot,
  armedBootId,
});

export const trialFields = (state: TrialState) => ({
  ...inspectedFields(state),
  trialBootIds: state.trialBootIds,
  attempts: state.attempts,
  checks: state.checks,
});

/** The same for an update that has seen no trial yet. */
export const beforeTrial = (state: InspectedState) => ({ ...inspectedFields(state), trialBootIds: [], attempts: 0, checks: [] });

/** What the install of this update is to leave behind. */
export const written = ({ operation, targetSlot, bundle }: InspectedState): Written => ({
  operationId: operation.id,
  targetSlot,
  version: bundle.version,
  manifestHash: bundle.manifestHash,
});

export function fail(state: Update, atMs: number, reason: Reason): Step {
  const bundle = 'bundle' in state ? state.bundle : null;
  const targetSlot = 'targetSlot' in state ? state.targetSlot : null;
  return ended(enter('failed', state, atMs, { operation: state.operation, bundle, targetSlot, reason }));
}

/** The failures after which the same bundle is likely to be asked for again: what came of it is worth keeping. */
const BROKE_OFF: ReadonlySet<string> = new Set<FailureCode>(['DOWNLOAD_FAILED', 'CLIENT_GONE']);

/** Whether what came of the last update's bundle is kept although it ended. */
export function keepsBundle(state: UpdateState): boolean {
  if (state.phase === 'committed') return state.operation.keepBundle === true;
  return state.phase === 'failed' && BROKE_OFF.has(state.reason.code);
}

export function ended(state: EndedUpdate, ...effects: Effect[]): Step {
  return stay(state, ...effects, { type: 'clean-up', operationId: state.operation.id, keepBundle: keepsBundle(state) });
}

/** Begins to go back to the source slot. `onTarget` says whether the node runs the slot that it leaves. */
export function rollBack(from: InspectedState, atMs: number, reason: Reason, onTarget: boolean, trialBootIds?: readonly string[]): Step {
  const fields = 'trialBootIds' in from ? trialFields(from) : beforeTrial(from);
  const known = trialBootIds ? [...new Set([...fields.trialBootIds, ...trialBootIds])] : fields.trialBootIds;
  const state = enter('rolling-back', from, atMs, { ...fields, trialBootIds: known, reason, onTarget, rollbackAttempts: 1 });
  return stay(state, restoreSource(state));
}

export const restoreSource = ({ sourceSlot, targetSlot }: InspectedState, delayMs = 0): Effect => ({
  type: 'restore-source',
  sourceSlot,
  targetSlot,
  delayMs,
});

/** The boot loader was told, or could not be: the update is over once the log of the boot that failed is read, if there was one. */
export function leaveRollback(state: StateOf<'rolling-back'>, atMs: number): Step {
  const bootId = state.trialBootIds.at(-1);
  return bootId === undefined ? rolledBack(state, atMs, '') : stay(state, { type: 'read-boot-log', bootId });
}

export function rolledBack(from: StateOf<'rolling-back'>, atMs: number, failedBootLog: string): Step {
  return ended(enter('rolled-back', from, atMs, { ...trialFields(from), reason: from.reason, failedBootLog }));
}
