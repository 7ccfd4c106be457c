// SPDX-License-Identifier: Apache-2.0
import { fromTheStart, rebootInto } from './commands.ts';
import type { EventOf, TrialRecord } from './event.ts';
import { ROLLBACK_CODES, type RollbackCode } from './rollback-code.ts';
import type { Phase, Reason, StateOf, UpdateState } from './state.ts';
import { beforeTrial, enter, fail, reasonFor, restoreSource, rollBack, type Step, stay, trialFields, written } from './step.ts';

type Started = EventOf<'agent-started'>;
type Recovery = { readonly [P in Phase]: (state: StateOf<P>, event: Started) => Step };

/** An agent that begins the same trial more often than this is itself what is wrong with the slot. */
const MAX_TRIAL_ATTEMPTS = 4;

/**
 * What an update is when its agent starts again. Three facts decide, and nothing that a boot loader could tell in its own
 * way: whether this is the boot in which the slot was armed, which slot is booted, and what the units of the trial wrote.
 */
export const RECOVERY: Recovery = {
  idle: stayed,
  scheduled: (state) => stay(state, { type: 'await-window', window: state.operation.window }),
  paused: (state, event) => {
    const { operation, written: known } = state;
    if (!known) return stay(state);
    // Somebody booted what was written: it is on trial, as whatever is not committed.
    if (onTarget(known, event)) return beginTrial(enter('installed', state, event.atMs, { operation, ...known }), event);
    return stay({ ...state, written: { ...known, armedBootId: event.bootId } });
  },
  downloading: again,
  inspecting: (state, event) => {
    const { operation, location } = state;
    if (operation.source.type === 'path' && operation.window === '') return stay(state, { type: 'inspect', location });
    // What was within RAUC's reach may have gone with the agent that held it there.
    return again(state, event);
  },
  installing: (state, event) => {
    if (sameBoot(state, event)) return stay(state, { type: 'rejoin-install', ...written(state) });
    if (onTarget(state, event)) return beginTrial(state, event);
    const message = `Cannot complete the install of ${state.bundle.version}: the node rebooted in the middle of it`;
    return fail(state, event.atMs, { code: 'INSTALL_INTERRUPTED', message, failedChecks: [] });
  },
  installed: (state, event) => {
    if (onTarget(state, event)) return beginTrial(state, event);
    return stay({ ...state, armedBootId: event.bootId }, { type: 'verify-slot', ...written(state) });
  },
  activating: (state, event) => {
    const { operation, targetSlot, armedBootId } = state;
    if (sameBoot(state, event)) return stay(state, { type: 'activate', operationId: operation.id, targetSlot, bootId: armedBootId });
    return onTarget(state, event) ? beginTrial(state, event) : cameBack(state, event);
  },
  'pending-reboot': (state, event) => {
    if (!sameBoot(state, event)) return onTarget(state, event) ? beginTrial(state, event) : cameBack(state, event);
    return state.operation.rebootPolicy === 'automatic' ? stay(state, rebootInto(state)) : stay(state);
  },
  trial: resumeTrial,
  checking: resumeTrial,
  committing: resumeTrial,
  committed: stayed,
  // Told again whatever was told before: only the boot loader knows how far it got.
  'rolling-back': (state, event) => stay({ ...state, onTarget: onTarget(state, event) }, restoreSource(state)),
  'rolled-back': stayed,
  failed: stayed,
};

function stayed(state: UpdateState): Step {
  return stay(state);
}

/** Nothing on the disk is worth more than a new start, in the window where there is one; what was fetched is gone on with. */
function again(state: StateOf<'downloading' | 'inspecting'>, { atMs }: Started): Step {
  const { operation } = state;
  if (state.phase === 'downloading' && operation.window === '') return stay(state, { type: 'deliver', operation });
  return fromTheStart(state, operation, atMs);
}

interface Armed {
  readonly armedBootId: string;
  readonly targetSlot: { readonly bootname: string };
}

const sameBoot = (state: Armed, event: Started): boolean => event.bootId === state.armedBootId;
const onTarget = (state: Armed, event: Started): boolean => !sameBoot(state, event) && event.bootname === state.targetSlot.bootname;

function beginTrial(state: StateOf<'installing' | 'installed' | 'activating' | 'pending-reboot'>, event: Started): Step {
  const fields = { ...beforeTrial(state), trialBootIds: [event.bootId], attempts: 1 };
  return confirm(enter('trial', state, event.atMs, fields));
}

const confirm = (state: StateOf<'trial'>): Step =>
  stay(state, { type: 'confirm-target', targetSlot: state.targetSlot, version: state.bundle.version });

function resumeTrial(state: StateOf<'trial' | 'checking' | 'committing'>, event: Started): Step {
  if (!onTarget(state, event)) return cameBack(state, event);
  const trialBootIds = [...new Set([...state.trialBootIds, event.bootId])];
  const attempts = state.attempts + 1;
  if (attempts > MAX_TRIAL_ATTEMPTS) {
    const message = `Cannot commit ${state.bundle.version}: the agent ended ${state.attempts} times during the trial`;
    return rollBack({ ...state, trialBootIds, attempts }, event.atMs, reasonFor('AGENT_CRASHED', message), true);
  }
  return confirm(enter('trial', state, event.atMs, { ...trialFields(state), trialBootIds, attempts, checks: [] }));
}

/** The node is on its source slot again although the target was armed: the boot loader, or a unit of the trial, gave it up. */
function cameBack(state: StateOf<'activating' | 'pending-reboot' | 'trial' | 'checking' | 'committing'>, event: Started): Step {
  const records = event.records.filter((record) => record.operationId === state.operation.id);
  const seen = 'trialBootIds' in state ? state.trialBootIds : [];
  const trialBootIds = [...new Set([...seen, ...records.map((record) => record.bootId)])];
  const reason = whyItCameBack(state.bundle.version, records, trialBootIds.length > 0);
  return rollBack(state, event.atMs, reason, false, trialBootIds);
}

function whyItCameBack(version: string, records: readonly TrialRecord[], reachedUserspace: boolean): Reason {
  const because = (code: RollbackCode, detail = ''): Reason =>
    reasonFor(code, `Cannot commit ${version}: ${ROLLBACK_CODES[code].why}${detail && ` (${detail})`}`);
  const agentFailed = records.findLast((record) => record.what === 'agent-failed');
  if (agentFailed) return because('AGENT_CRASHED', agentFailed.detail);
  const deadline = records.findLast((record) => record.what === 'deadline');
  if (deadline) return because('DEADLINE_EXPIRED', deadline.detail);
  return because(reachedUserspace ? 'TRIAL_INTERRUPTED' : 'NEVER_REACHED_USERSPACE');
}
