// SPDX-License-Identifier: Apache-2.0
import {
  begin,
  cancel,
  cancelInstall,
  leaveArmed,
  leaveCommitted,
  leaveTrial,
  pause,
  pauseWritten,
  rebootInto,
  refusal,
  resume,
  withoutWaiting,
} from './commands.ts';
import type { EventOf, EventType, UpdateEvent } from './event.ts';
import { preflight } from './preflight.ts';
import { RECOVERY } from './recovery.ts';
import type { RollbackCode } from './rollback-code.ts';
import type { Phase, StateOf, Update, UpdateState } from './state.ts';
import {
  ended,
  enter,
  fail,
  inspectedFields,
  leaveRollback,
  reasonFor,
  reasonOf,
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
 * that a phase does not name is late and changes nothing; a command that it does not name is refused (commands.ts).
 */
export function transition(state: UpdateState, event: UpdateEvent): Step {
  if (event.type === 'agent-started') return RECOVERY[state.phase](state as never, event);
  const handler = LIFE[state.phase][event.type] as ((state: UpdateState, event: UpdateEvent) => Step) | undefined;
  return handler ? handler(state, event) : (refusal(state, event) ?? stay(state));
}

type Life = { readonly [P in Phase]: { readonly [T in EventType]?: (state: StateOf<P>, event: EventOf<T>) => Step } };

const RETRY_MS = 10_000;
const MAX_ROLLBACK_ATTEMPTS = 5;

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
  const next = enter('installing', state, atMs, { ...known, percent: 0, message: '', cancelled: null, pausing: false });
  return stay(next, { type: 'install', location, ...written(next) });
}

function installEnded(state: StateOf<'installing'>, { atMs }: EventOf<'install-completed'>): Step {
  if (state.cancelled) return fail(state, atMs, state.cancelled);
  if (state.pausing) return pauseWritten(state, { atMs });
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
  return next.operation.rebootPolicy === 'automatic' ? stay(next, rebootInto(next)) : stay(next);
}

const failOnEffect = (state: Update, event: EventOf<'effect-failed'>): Step => fail(state, event.atMs, reasonOf(event.failure));

function gateFailed(state: StateOf<'checking'>, event: EventOf<'gate-failed'>): Step {
  return rollBack(state, event.atMs, reasonFor(event.code, event.message, event.failedChecks), true);
}

/** A step of the trial came to nothing. That the disk is full says nothing about the version, so it keeps its own code. */
function trialBroke(state: StateOf<'trial' | 'checking'>, { atMs, failure }: EventOf<'effect-failed'>, code: RollbackCode): Step {
  const reason = failure.code === 'JOURNAL_UNWRITABLE' ? reasonOf(failure) : reasonFor(code, failure.message);
  return rollBack(state, atMs, reason, true);
}

function checkFinished(state: StateOf<'checking'>, { check }: EventOf<'check-finished'>): Step {
  return stay({ ...state, checks: [...state.checks.filter(({ name }) => name !== check.name), check] });
}

function sourceRestored(state: StateOf<'rolling-back'>, { atMs }: EventOf<'source-restored'>): Step {
  return state.onTarget ? stay(state, { type: 'reboot', delayMs: 0, window: '' }) : leaveRollback(state, atMs);
}

function rollbackStuck(state: StateOf<'rolling-back'>, event: EventOf<'effect-failed'>): Step {
  if (event.effect === 'reboot') return stay(state, { type: 'reboot', delayMs: RETRY_MS, window: '' });
  if (event.effect === 'read-boot-log') return rolledBack(state, event.atMs, '');
  if (state.rollbackAttempts < MAX_ROLLBACK_ATTEMPTS) {
    return stay({ ...state, rollbackAttempts: state.rollbackAttempts + 1 }, restoreSource(state, RETRY_MS));
  }
  // A slot that was never marked good is left by the boot loader on its own, so a reboot is the best that remains.
  if (state.onTarget) return stay(state, { type: 'reboot', delayMs: 0, window: '' });
  const message = `${state.reason.message} (and the boot loader could not be told: ${event.failure.message})`;
  return leaveRollback({ ...state, reason: { ...state.reason, message } }, event.atMs);
}

const stoppable = { 'cancel-requested': cancel, 'rollback-requested': cancel };

const LIFE: Life = {
  idle: { 'install-requested': begin },
  scheduled: {
    'window-planned': (state, { opensAtMs }) => stay({ ...state, opensAtMs }),
    'window-opened': (state, { atMs }) => withoutWaiting(state, state.operation, atMs),
    'pause-requested': pause,
    'effect-failed': failOnEffect,
    ...stoppable,
  },
  paused: { 'pause-requested': (state) => stay(state), 'resume-requested': resume, ...stoppable },
  downloading: {
    'bundle-fetched': (state, event) => fetched({ ...state, heldUp: '' }, event),
    'fetch-held-up': (state, { operationId, message }) => stay(operationId === state.operation.id ? { ...state, heldUp: message } : state),
    'bundle-delivered': delivered,
    'pause-requested': pause,
    'effect-failed': failOnEffect,
    ...stoppable,
  },
  inspecting: {
    'bundle-fetched': fetched,
    inspected: inspectionEnded,
    'pause-requested': pause,
    'effect-failed': failOnEffect,
    ...stoppable,
  },
  installing: {
    'bundle-fetched': fetched,
    'install-progress': (state, { percent, message }) => stay({ ...state, percent, message }),
    'install-completed': installEnded,
    'effect-failed': (state, event) => fail(state, event.atMs, state.cancelled ?? reasonOf(event.failure)),
    'pause-requested': (state) => stay({ ...state, pausing: true }),
    'resume-requested': (state, event) =>
      state.pausing && !state.cancelled ? stay({ ...state, pausing: false }) : (refusal(state, event) as Step),
    'cancel-requested': cancelInstall,
    'rollback-requested': cancelInstall,
  },
  installed: { 'slot-verified': slotVerified, 'pause-requested': pauseWritten, 'effect-failed': failOnEffect, ...stoppable },
  activating: {
    activated,
    'effect-failed': (state, { atMs, failure }) => rollBack(state, atMs, reasonFor('ACTIVATION_FAILED', failure.message), false),
    'rollback-requested': leaveArmed,
  },
  'pending-reboot': {
    'effect-failed': (state) => stay(state, rebootInto(state, RETRY_MS)),
    'rollback-requested': leaveArmed,
  },
  trial: {
    'target-confirmed': (state, { atMs }) =>
      stay(enter('checking', state, atMs, { ...trialFields(state), checks: [] }), { type: 'run-gate' }),
    'effect-failed': (state, event) => trialBroke(state, event, 'WRONG_SLOT_BOOTED'),
    'rollback-requested': leaveTrial,
  },
  checking: {
    'check-finished': checkFinished,
    'gate-passed': (state, { atMs }) =>
      stay(enter('committing', state, atMs, trialFields(state)), { type: 'commit', targetSlot: state.targetSlot }),
    'gate-failed': gateFailed,
    'effect-failed': (state, event) => trialBroke(state, event, 'CHECK_FAILED'),
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
