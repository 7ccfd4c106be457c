// SPDX-License-Identifier: Apache-2.0
import type { Effect } from './effect.ts';
import type { EventOf, UpdateEvent } from './event.ts';
import { isSettled, type Operation, type StateOf, type Update, type UpdateState } from './state.ts';
import { enter, fail, inspectedFields, reasonFor, refuse, rollBack, type Step, stay, written } from './step.ts';

/**
 * What an administrator asks of an update. Pausing and cancelling end at the point of no return: once the target slot is
 * activated, any reboot leads into it, and only a rollback leads back.
 */

type Asked = Pick<Update, 'phaseChanges' | 'fetched'>;

export function begin(_state: UpdateState, { operation, atMs }: EventOf<'install-requested'>): Step {
  return fromTheStart({ phaseChanges: [], fetched: null }, operation, atMs);
}

/** The way of an update from where nothing of it is done: it waits for its window, where it has one. */
export function fromTheStart(from: Asked, operation: Operation, atMs: number): Step {
  const { window } = operation;
  if (window === '') return withoutWaiting(from, operation, atMs);
  return stay(enter('scheduled', from, atMs, { operation, opensAtMs: null }), { type: 'await-window', window });
}

/** Brings the bundle within reach, where it is not, and looks at it. */
export function withoutWaiting(from: Asked, operation: Operation, atMs: number): Step {
  const { source } = operation;
  if (source.type !== 'path') return stay(enter('downloading', from, atMs, { operation, heldUp: '' }), { type: 'deliver', operation });
  return stay(enter('inspecting', from, atMs, { operation, location: source.path }), { type: 'inspect', location: source.path });
}

export function pause(state: StateOf<'scheduled' | 'downloading' | 'inspecting'>, { atMs }: EventOf<'pause-requested'>): Step {
  return stay(enter('paused', state, atMs, { operation: state.operation, written: null }));
}

/** RAUC wrote the slot, and it is not activated: there the update is held. */
export function pauseWritten(state: StateOf<'installing' | 'installed'>, { atMs }: { readonly atMs: number }): Step {
  const { operation, ...known } = inspectedFields(state);
  return stay(enter('paused', state, atMs, { operation, written: known }));
}

export function resume(state: StateOf<'paused'>, { atMs }: EventOf<'resume-requested'>): Step {
  const { operation } = state;
  if (!state.written) return fromTheStart(state, operation, atMs);
  const next = enter('installed', state, atMs, { operation, ...state.written });
  return stay(next, { type: 'verify-slot', ...written(next) });
}

const cancelled = (message: string) => reasonFor('CANCELLED', message || 'Cancelled by an administrator');
const requested = (message: string) => reasonFor('REQUESTED', message || 'Asked for by an administrator');

type Cancelling = EventOf<'cancel-requested' | 'rollback-requested'>;

export const cancel = (state: Update, event: Cancelling): Step => fail(state, event.atMs, cancelled(event.message));

/** RAUC cannot be stopped half-way; what it wrote is simply never activated. */
export const cancelInstall = (state: StateOf<'installing'>, event: Cancelling): Step =>
  stay({ ...state, cancelled: state.cancelled ?? cancelled(event.message) });

export function leaveArmed(state: StateOf<'activating' | 'pending-reboot'>, event: EventOf<'rollback-requested'>): Step {
  return rollBack(state, event.atMs, requested(event.message), false);
}

export function leaveTrial(state: StateOf<'trial' | 'checking' | 'committing'>, event: EventOf<'rollback-requested'>): Step {
  return rollBack(state, event.atMs, requested(event.message), true);
}

export function leaveCommitted(state: StateOf<'committed'>, event: EventOf<'rollback-requested'>): Step {
  const { sourceSlot, targetSlot } = state;
  if (event.bootname !== targetSlot.bootname) {
    return refuse('NOTHING_TO_ROLL_BACK', `Cannot roll back: the node runs slot "${event.bootname}", not the one that was installed`);
  }
  if (!event.otherSlotGood) return refuse('NOTHING_TO_ROLL_BACK', `Cannot roll back: slot "${sourceSlot.name}" is not good`);
  return rollBack(state, event.atMs, requested(event.message), true);
}

/** Into the target slot: at once, or within the window where the update has one. */
export const rebootInto = ({ operation }: Update, delayMs = 0): Effect => ({ type: 'reboot', delayMs, window: operation.window });

/** The answer to a command that the phase has no meaning for. Undefined for an event that is no command. */
export function refusal(state: UpdateState, event: UpdateEvent): Step | undefined {
  const found = state.phase === 'idle' ? 'no update was ever asked for' : `the last update is ${state.phase}`;
  switch (event.type) {
    case 'install-requested':
      return refuseInstall(state);
    case 'rollback-requested':
      return refuse('NOTHING_TO_ROLL_BACK', `Cannot roll back: ${found}`);
    case 'resume-requested':
      return refuse('UPDATE_NOT_PAUSED', `Cannot resume: ${found}`);
    case 'pause-requested':
      return refuseHold('pause', state, found);
    case 'cancel-requested':
      return refuseHold('cancel', state, found);
    default:
      return undefined;
  }
}

function refuseInstall(state: UpdateState): Step {
  const operation = state.phase === 'idle' ? 'none' : state.operation.id;
  const found = `another one is ${state.phase} (operation ${operation})`;
  return refuse(state.phase === 'pending-reboot' ? 'REBOOT_PENDING' : 'UPDATE_IN_PROGRESS', `Cannot start an update: ${found}`);
}

function refuseHold(verb: string, state: UpdateState, found: string): Step {
  if (isSettled(state)) return refuse('NO_UPDATE_UNDER_WAY', `Cannot ${verb}: ${found}`);
  const past = `slot "${'targetSlot' in state ? state.targetSlot?.name : ''}" is activated already (the update is ${state.phase})`;
  return refuse('POINT_OF_NO_RETURN', `Cannot ${verb}: ${past}`);
}
