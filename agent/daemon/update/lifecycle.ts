// SPDX-License-Identifier: Apache-2.0
import type { EventOf, EventType, UpdateEvent } from './event.ts';
import { preflight } from './preflight.ts';
import { RECOVERY } from './recovery.ts';
import type { Phase, StateOf, Update, UpdateState } from './state.ts';
import {
  ended,
  enter,
  fail,
  inspectedFields,
  leaveRollback,
  reasonFor,
  reasonOf,
  refuse,
  restoreSource,
  rollBack,
  rolledBack,
  type Step,
  stay,
  trialFields,
  written,
} from './step.ts';

/**
 * The life of an update: what each event means in each phase. Pure: no clock, no wait, no input, no output. An event
 * that a phase does not name is late and changes nothing; a command that it does not name is refused.
 */
export function transition(state: UpdateState, event: UpdateEvent): Step {
  if (event.type === 'agent-started') return RECOVERY[state.phase](state as never, event);
  const handler = LIFE[state.phase][event.type] as ((state: UpdateState, event: UpdateEvent) => Step) | undefined;
  return handler ? handler(state, event) : unnamed(state, event);
}

type Life = { readonly [P in Phase]: { readonly [T in EventType]?: (state: StateOf<P>, event: EventOf<T>) => Step } };

const RETRY_MS = 10_000;
const MAX_ROLLBACK_ATTEMPTS = 5;

function unnamed(state: UpdateState, event: UpdateEvent): Step {
  if (event.type === 'install-requested') {
    return refuse('UPDATE_IN_PROGRESS', `Cannot start an update: another one is ${state.phase} (operation ${operationId(state)})`);
  }
  if (event.type === 'rollback-requested') {
    return refuse('NOTHING_TO_ROLL_BACK', `Cannot roll back: the last update is ${state.phase}`);
  }
  return stay(state);
}

const operationId = (state: UpdateState): string => (state.phase === 'idle' ? 'none' : state.operation.id);

function begin(_state: UpdateState, { operation, atMs }: EventOf<'install-requested'>): Step {
  const nothing = { phaseChanges: [], fetched: null };
  const { source } = operation;
  if (source.type !== 'path') return stay(enter('downloading', nothing, atMs, { operation }), { type: 'deliver', operation });
  return stay(enter('inspecting', nothing, atMs, { operation, location: source.path }), { type: 'inspect', location: source.path });
}

function delivered(state: StateOf<'downloading'>, { location, atMs }: EventOf<'bundle-delivered'>): Step {
  return stay(enter('inspecting', state, atMs, { operation: state.operation, location }), { type: 'inspect', location });
}

function fetched(state: StateOf<'downloading' | 'inspecting' | 'installing'>, event: EventOf<'bundle-fetched'>): Step {
  const { bytes, sizeBytes } = event;
  return event.operationId === state.operation.id ? stay({ ...state, fetched: { bytes, sizeBytes } }) : stay(state);
}

function inspectionEnded(state: StateOf<'inspecting'>, event: EventOf<'inspected'>): Step {
  const { bundle, atMs, targetSlot, sourceSlot, bootId } = event;
  const refusal = preflight(state.operation, event);
  if (refusal) return fail(state, atMs, refusal);
  const { operation, location } = state;
  const known = { operation, location, bundle: { ...bundle, images: [...bundle.images] }, sourceSlot, targetSlot, armedBootId: bootId };
  const next = enter('installing', state, atMs, { ...known, percent: 0, message: '', cancelled: null });
  return stay(next, { type: 'install', location, ...written(next) });
}

function installEnded(state: StateOf<'installing'>, { atMs }: EventOf<'install-completed'>): Step {
  if (state.cancelled) return fail(state, atMs, state.cancelled);
  return stay(enter('installed', state, atMs, inspectedFields(state)), { type: 'verify-slot', ...written(state) });
}

function slotVerified(state: StateOf<'installed'>, { atMs }: EventOf<'slot-verified'>): Step {
  const { operation, targetSlot, armedBootId } = state;
  return stay(enter('activating', state, atMs, inspectedFields(state)), {
    type: 'activate',
    operationId: operation.id,
    targetSlot,
    bootId: armedBootId,
  });
}

function activated(state: StateOf<'activating'>, { atMs }: EventOf<'activated'>): Step {
  const next = enter('pending-reboot', state, atMs, inspectedFields(state));
  return next.operation.rebootPolicy === 'automatic' ? stay(next, { type: 'reboot', delayMs: 0 }) : stay(next);
}

const cancelled = (message: string) => reasonFor('CANCELLED', message || 'Cancelled by an administrator');
const requested = (message: string) => reasonFor('REQUESTED', message || 'Asked for by an administrator');

const failOnEffect = (state: Update, event: EventOf<'effect-failed'>): Step => fail(state, event.atMs, reasonOf(event.failure));
const cancel = (state: Update, event: EventOf<'rollback-requested'>): Step => fail(state, event.atMs, cancelled(event.message));

function leaveTrial(state: StateOf<'trial' | 'checking' | 'committing'>, event: EventOf<'rollback-requested'>): Step {
  return rollBack(state, event.atMs, requested(event.message), true);
}

function leaveCommitted(state: StateOf<'committed'>, event: EventOf<'rollback-requested'>): Step {
  const { sourceSlot, targetSlot } = state;
  if (event.bootname !== targetSlot.bootname) {
    return refuse('NOTHING_TO_ROLL_BACK', `Cannot roll back: the node runs slot "${event.bootname}", not the one that was installed`);
  }
  if (!event.otherSlotGood) return refuse('NOTHING_TO_ROLL_BACK', `Cannot roll back: slot "${sourceSlot.name}" is not good`);
  return rollBack(state, event.atMs, requested(event.message), true);
}

function gateFailed(state: StateOf<'checking'>, event: EventOf<'gate-failed'>): Step {
  return rollBack(state, event.atMs, reasonFor(event.code, event.message, event.failedChecks), true);
}

function checkFinished(state: StateOf<'checking'>, { check }: EventOf<'check-finished'>): Step {
  return stay({ ...state, checks: [...state.checks.filter(({ name }) => name !== check.name), check] });
}

function sourceRestored(state: StateOf<'rolling-back'>, { atMs }: EventOf<'source-restored'>): Step {
  return state.onTarget ? stay(state, { type: 'reboot', delayMs: 0 }) : leaveRollback(state, atMs);
}

function rollbackStuck(state: StateOf<'rolling-back'>, event: EventOf<'effect-failed'>): Step {
  if (event.effect === 'reboot') return stay(state, { type: 'reboot', delayMs: RETRY_MS });
  if (event.effect === 'read-boot-log') return rolledBack(state, event.atMs, '');
  if (state.rollbackAttempts < MAX_ROLLBACK_ATTEMPTS) {
    return stay({ ...state, rollbackAttempts: state.rollbackAttempts + 1 }, restoreSource(state, RETRY_MS));
  }
  // A slot that was never marked good is left by the boot loader on its own, so a reboot is the best that remains.
  if (state.onTarget) return stay(state, { type: 'reboot', delayMs: 0 });
  const message = `${state.reason.message} (and the boot loader could not be told: ${event.failure.message})`;
  return leaveRollback({ ...state, reason: { ...state.reason, message } }, event.atMs);
}

const LIFE: Life = {
  idle: { 'install-requested': begin },
  downloading: {
    'bundle-fetched': fetched,
    'bundle-delivered': delivered,
    'effect-failed': failOnEffect,
    'rollback-requested': cancel,
  },
  inspecting: { 'bundle-fetched': fetched, inspected: inspectionEnded, 'effect-failed': failOnEffect, 'rollback-requested': cancel },
  installing: {
    'bundle-fetched': fetched,
    'install-progress': (state, { percent, message }) => stay({ ...state, percent, message }),
    'install-completed': installEnded,
    'effect-failed': (state, event) => fail(state, event.atMs, state.cancelled ?? reasonOf(event.failure)),
    // RAUC cannot be stopped half-way; what it wrote is simply never activated.
    'rollback-requested': (state, { message }) => stay({ ...state, cancelled: cancelled(message) }),
  },
  installed: { 'slot-verified': slotVerified, 'effect-failed': failOnEffect, 'rollback-requested': cancel },
  activating: {
    activated,
    'effect-failed': (state, { atMs, failure }) => rollBack(state, atMs, reasonFor('ACTIVATION_FAILED', failure.message), false),
    'rollback-requested': (state, { atMs, message }) => rollBack(state, atMs, requested(message), false),
  },
  'pending-reboot': {
    'effect-failed': (state) => stay(state, { type: 'reboot', delayMs: RETRY_MS }),
    'rollback-requested': (state, { atMs, message }) => rollBack(state, atMs, requested(message), false),
  },
  trial: {
    'target-confirmed': (state, { atMs }) =>
      stay(enter('checking', state, atMs, { ...trialFields(state), checks: [] }), { type: 'run-gate' }),
    'effect-failed': (state, { atMs, failure }) => rollBack(state, atMs, reasonFor('WRONG_SLOT_BOOTED', failure.message), true),
    'rollback-requested': leaveTrial,
  },
  checking: {
    'check-finished': checkFinished,
    'gate-passed': (state, { atMs }) =>
      stay(enter('committing', state, atMs, trialFields(state)), { type: 'commit', targetSlot: state.targetSlot }),
    'gate-failed': gateFailed,
    'effect-failed': (state, { atMs, failure }) => rollBack(state, atMs, reasonFor('CHECK_FAILED', failure.message), true),
    'rollback-requested': leaveTrial,
  },
  committing: {
    'marked-good': (state, { atMs }) => ended(enter('committed', state, atMs, trialFields(state))),
    'effect-failed': (state, { atMs, failure }) => rollBack(state, atMs, reasonFor('COMMIT_FAILED', failure.message), true),
    'rollback-requested': leaveTrial,
  },
  committed: { 'install-requested': begin, 'rollback-requested': leaveCommitted },
  'rolling-back': {
    'source-restored': sourceRestored,
    'boot-log-read': (state, { atMs, log }) => rolledBack(state, atMs, log),
    'effect-failed': rollbackStuck,
  },
  'rolled-back': { 'install-requested': begin },
  failed: { 'install-requested': begin },
};
