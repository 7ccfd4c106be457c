// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EventType } from '../../../../../agent/daemon/update/life/event.ts';
import { transition } from '../../../../../agent/daemon/update/life/lifecycle.ts';
import { PHASES, type Phase, type UpdateState } from '../../../../../agent/daemon/update/life/state.ts';
import type { Step } from '../../../../../agent/daemon/update/life/step.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { EVENTS, OPERATION_ID, STATES, WINDOW } from '../states.ts';

const BUSY = { 'install-requested': 'refused UPDATE_IN_PROGRESS', 'resume-requested': 'refused UPDATE_NOT_PAUSED' };
const STOPPABLE = { 'cancel-requested': 'failed CANCELLED: clean-up', 'rollback-requested': 'failed CANCELLED: clean-up' };
/** The target slot is activated: only a rollback leads back. */
const PAST = { ...BUSY, 'pause-requested': 'refused POINT_OF_NO_RETURN', 'cancel-requested': 'refused POINT_OF_NO_RETURN' };
const OVER = {
  'pause-requested': 'refused NO_UPDATE_UNDER_WAY',
  'resume-requested': 'refused UPDATE_NOT_PAUSED',
  'cancel-requested': 'refused NO_UPDATE_UNDER_WAY',
  'rollback-requested': 'refused NOTHING_TO_ROLL_BACK',
};

/** What each event does in each phase: the next phase, `= phase` for news within it, and the effects. What is not here changes nothing. */
const LIFE: { readonly [P in Phase]: { readonly [T in EventType]?: string } } = {
  idle: { ...OVER, 'install-requested': 'inspecting: inspect' },
  scheduled: {
    ...BUSY,
    ...STOPPABLE,
    'pause-requested': 'paused',
    'window-planned': '= scheduled',
    'window-opened': 'inspecting: inspect',
    'effect-failed': 'failed INSTALL_FAILED: clean-up',
    'agent-started': 'scheduled: await-window',
  },
  paused: {
    ...BUSY,
    ...STOPPABLE,
    'resume-requested': 'installed: verify-slot',
    'agent-started': '= paused',
  },
  downloading: {
    ...BUSY,
    ...STOPPABLE,
    'pause-requested': 'paused',
    'bundle-fetched': '= downloading',
    'fetch-held-up': '= downloading',
    'bundle-delivered': 'inspecting: inspect',
    'effect-failed': 'failed INSTALL_FAILED: clean-up',
    'agent-started': 'downloading: deliver',
  },
  inspecting: {
    ...BUSY,
    ...STOPPABLE,
    'pause-requested': 'paused',
    'bundle-fetched': '= inspecting',
    inspected: 'installing: install',
    'effect-failed': 'failed INSTALL_FAILED: clean-up',
    'agent-started': 'inspecting: inspect',
  },
  installing: {
    ...BUSY,
    'pause-requested': '= installing',
    'cancel-requested': '= installing',
    'rollback-requested': '= installing',
    'bundle-fetched': '= installing',
    'install-progress': '= installing',
    'install-completed': 'installed: verify-slot',
    'effect-failed': 'failed INSTALL_FAILED: clean-up',
    'agent-started': 'installing: rejoin-install',
  },
  installed: {
    ...BUSY,
    ...STOPPABLE,
    'pause-requested': 'paused',
    'slot-verified': 'activating: activate',
    'effect-failed': 'failed INSTALL_FAILED: clean-up',
    'agent-started': '= installed: verify-slot',
  },
  activating: {
    ...PAST,
    'rollback-requested': 'rolling-back REQUESTED: restore-source',
    activated: 'pending-reboot: reboot',
    'effect-failed': 'rolling-back ACTIVATION_FAILED: restore-source',
    'agent-started': 'activating: activate',
  },
  'pending-reboot': {
    ...PAST,
    'install-requested': 'refused REBOOT_PENDING',
    'rollback-requested': 'rolling-back REQUESTED: restore-source',
    'effect-failed': 'pending-reboot: reboot',
    'agent-started': 'pending-reboot: reboot',
  },
  trial: {
    ...PAST,
    'rollback-requested': 'rolling-back REQUESTED: restore-source',
    'target-confirmed': 'checking: run-gate',
    'effect-failed': 'rolling-back WRONG_SLOT_BOOTED: restore-source',
    'agent-started': 'rolling-back TRIAL_INTERRUPTED: restore-source',
  },
  checking: {
    ...PAST,
    'rollback-requested': 'rolling-back REQUESTED: restore-source',
    'check-finished': '= checking',
    'gate-passed': 'committing: commit',
    'gate-failed': 'rolling-back CHECK_FAILED: restore-source',
    'effect-failed': 'rolling-back CHECK_FAILED: restore-source',
    'agent-started': 'rolling-back TRIAL_INTERRUPTED: restore-source',
  },
  committing: {
    ...PAST,
    'rollback-requested': 'rolling-back REQUESTED: restore-source',
    'marked-good': 'committed: clean-up',
    'effect-failed': 'rolling-back COMMIT_FAILED: restore-source',
    'agent-started': 'rolling-back TRIAL_INTERRUPTED: restore-source',
  },
  committed: { ...OVER, 'install-requested': 'inspecting: inspect', 'rollback-requested': 'rolling-back REQUESTED: restore-source' },
  'rolling-back': {
    ...PAST,
    'rollback-requested': 'refused NOTHING_TO_ROLL_BACK',
    'source-restored': 'rolling-back CHECK_FAILED: reboot',
    'boot-log-read': 'rolled-back CHECK_FAILED: clean-up',
    'effect-failed': '= rolling-back CHECK_FAILED: restore-source',
    'agent-started': '= rolling-back CHECK_FAILED: restore-source',
  },
  'rolled-back': { ...OVER, 'install-requested': 'inspecting: inspect' },
  failed: { ...OVER, 'install-requested': 'inspecting: inspect' },
};

describe('the life of an update', () => {
  const cells = PHASES.flatMap((phase) => (Object.keys(EVENTS) as EventType[]).map((type) => [phase, type] as const));

  it.each(cells)('in phase %s answers %s as the table says', (phase, type) => {
    const before = STATES[phase];
    const step = transition(before, EVENTS[type]);
    expect(describeStep(before, step)).toBe(LIFE[phase][type] ?? phaseOf(before));
  });

  it.each(cells)('in phase %s does not change the state that it was given when %s comes', (phase, type) => {
    const before = structuredClone(STATES[phase]);
    transition(before, EVENTS[type]);
    expect(before).toEqual(STATES[phase]);
  });

  it('keeps every phase that it went through, with its moment', () => {
    const step = transition(STATES.installing, EVENTS['install-completed']);
    expect('state' in step && 'phaseChanges' in step.state && step.state.phaseChanges).toEqual([
      { phase: 'inspecting', atMs: 1 },
      { phase: 'installed', atMs: 1000 },
    ]);
  });

  it('has a bundle that lies elsewhere brought within reach first', () => {
    const event = { ...EVENTS['install-requested'], operation: STATES.downloading.operation };
    expect(describeStep(STATES.idle, transition(STATES.idle, event))).toBe('downloading: deliver');
  });

  it('waits for its window before anything else, where it has one', () => {
    const event = { ...EVENTS['install-requested'], operation: STATES.scheduled.operation };
    expect(describeStep(STATES.idle, transition(STATES.idle, event))).toBe('scheduled: await-window');
  });

  it('reboots within its window, too', () => {
    const windowed = { ...STATES.activating, operation: STATES.scheduled.operation };
    expect(transition(windowed, EVENTS.activated)).toMatchObject({ effects: [{ type: 'reboot', delayMs: 0, window: WINDOW }] });
  });

  it('begins anew when it is resumed before RAUC wrote anything', () => {
    const held = { ...STATES.paused, operation: STATES.downloading.operation, written: null };
    expect(describeStep(held, transition(held, EVENTS['resume-requested']))).toBe('downloading: deliver');
  });

  it('waits for its window again when it is resumed outside it', () => {
    const held = { ...STATES.paused, operation: STATES.scheduled.operation, written: null };
    expect(describeStep(held, transition(held, EVENTS['resume-requested']))).toBe('scheduled: await-window');
  });

  it('is held once the slot is written when it was to be paused meanwhile, and is not activated before it is resumed', () => {
    const pausing = transition(STATES.installing, EVENTS['pause-requested']);
    if (!('state' in pausing)) throw new Error('refused');
    const held = transition(pausing.state, EVENTS['install-completed']);
    expect(held).toMatchObject({ state: { phase: 'paused', written: { targetSlot: { name: 'rootfs.1' } } }, effects: [] });
  });

  it('goes on when it is resumed before it was held', () => {
    const pausing = { ...STATES.installing, pausing: true };
    const resumed = transition(pausing, EVENTS['resume-requested']);
    expect(resumed).toMatchObject({ state: { phase: 'installing', pausing: false } });
  });

  it('cannot be let go on once it was cancelled, and is cancelled for what was said first', () => {
    const first = transition({ ...STATES.installing, pausing: true }, { ...EVENTS['cancel-requested'], message: 'first' });
    if ('refusal' in first) throw first.refusal;
    expect(describeStep(first.state, transition(first.state, EVENTS['resume-requested']))).toBe('refused UPDATE_NOT_PAUSED');
    const second = transition(first.state, { ...EVENTS['cancel-requested'], message: 'second' });
    expect(second).toMatchObject({ state: { cancelled: { message: 'first' } } });
  });

  it('tells why its source is waited for, until it gives again', () => {
    const held = transition(STATES.downloading, EVENTS['fetch-held-up']);
    expect(held).toMatchObject({ state: { heldUp: 'Cannot fetch the bundle: nobody answers' } });
    if ('refusal' in held) throw held.refusal;
    expect(transition(held.state, EVENTS['bundle-fetched'])).toMatchObject({ state: { heldUp: '' } });
    expect(transition(STATES.downloading, { ...EVENTS['fetch-held-up'], operationId: 'another' })).toMatchObject({ state: { heldUp: '' } });
  });

  it('does not count what was fetched for another update', () => {
    const event = { ...EVENTS['bundle-fetched'], operationId: 'another' };
    expect(transition(STATES.downloading, event)).toEqual({ state: STATES.downloading, effects: [] });
  });

  it.each(['DOWNLOAD_FAILED', 'CLIENT_GONE'] as const)('keeps what came of a bundle when it failed with %s', (code) => {
    const step = transition(STATES.downloading, { ...EVENTS['effect-failed'], failure: new Failure(code, 'Cannot fetch the bundle') });
    expect('effects' in step && step.effects).toEqual([{ type: 'clean-up', operationId: OPERATION_ID, keepBundle: true }]);
  });

  it('refuses a bundle that is for another kind of node', () => {
    const event = { ...EVENTS.inspected, nodeCompatible: 'another-board' };
    expect(describeStep(STATES.inspecting, transition(STATES.inspecting, event))).toBe('failed BUNDLE_INCOMPATIBLE: clean-up');
  });

  it('refuses a version that was rolled back here before', () => {
    const event = { ...EVENTS.inspected, failedHere: true };
    expect(describeStep(STATES.inspecting, transition(STATES.inspecting, event))).toBe('failed VERSION_FAILED_HERE: clean-up');
  });

  it('installs such a version when it is forced to', () => {
    const forced = { ...STATES.inspecting, operation: { ...STATES.inspecting.operation, force: true } };
    expect(describeStep(forced, transition(forced, { ...EVENTS.inspected, failedHere: true }))).toBe('installing: install');
  });

  it('waits for the administrator where the reboot is manual', () => {
    const manual = { ...STATES.activating, operation: { ...STATES.activating.operation, rebootPolicy: 'manual' as const } };
    expect(describeStep(manual, transition(manual, EVENTS.activated))).toBe('pending-reboot');
  });

  it('never activates what was cancelled while RAUC wrote it', () => {
    const cancelled = transition(STATES.installing, EVENTS['rollback-requested']);
    if (!('state' in cancelled)) throw new Error('refused');
    expect(describeStep(cancelled.state, transition(cancelled.state, EVENTS['install-completed']))).toBe('failed CANCELLED: clean-up');
  });

  it('refuses to leave a committed slot for one that is not good', () => {
    const event = { ...EVENTS['rollback-requested'], otherSlotGood: false };
    expect(describeStep(STATES.committed, transition(STATES.committed, event))).toBe('refused NOTHING_TO_ROLL_BACK');
  });

  it('refuses to leave a committed slot that is not the booted one', () => {
    const event = { ...EVENTS['rollback-requested'], bootname: 'A' };
    expect(describeStep(STATES.committed, transition(STATES.committed, event))).toBe('refused NOTHING_TO_ROLL_BACK');
  });

  it('ends a rollback without a reboot when the node runs the source slot, with the log of the boot that failed', () => {
    const offTarget = { ...STATES['rolling-back'], onTarget: false };
    expect(describeStep(offTarget, transition(offTarget, EVENTS['source-restored']))).toBe('rolling-back CHECK_FAILED: read-boot-log');
    expect(transition(offTarget, EVENTS['boot-log-read'])).toMatchObject({
      state: { phase: 'rolled-back', failedBootLog: EVENTS['boot-log-read'].log },
    });
  });

  it('ends a rollback without a log when there was no trial boot, or its log cannot be read', () => {
    const offTarget = { ...STATES['rolling-back'], onTarget: false };
    const neverBooted = { ...offTarget, trialBootIds: [] };
    expect(describeStep(neverBooted, transition(neverBooted, EVENTS['source-restored']))).toBe('rolled-back CHECK_FAILED: clean-up');
    const unread = { ...EVENTS['effect-failed'], effect: 'read-boot-log' as const };
    expect(describeStep(offTarget, transition(offTarget, unread))).toBe('rolled-back CHECK_FAILED: clean-up');
  });

  it('reboots all the same when the boot loader cannot be told to leave the target slot', () => {
    let state: UpdateState = STATES['rolling-back'];
    const steps: string[] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      const step = transition(state, EVENTS['effect-failed']);
      steps.push(describeStep(state, step).split(': ')[1] ?? '');
      if ('state' in step) state = step.state;
    }
    expect(steps).toEqual(['restore-source', 'restore-source', 'restore-source', 'restore-source', 'reboot']);
  });

  it('ends a rollback, and says so, when the boot loader cannot be told on the source slot', () => {
    const stuck = { ...STATES['rolling-back'], onTarget: false, rollbackAttempts: 5, trialBootIds: [] };
    const step = transition(stuck, EVENTS['effect-failed']);
    expect('state' in step && step.state).toMatchObject({
      phase: 'rolled-back',
      reason: { message: expect.stringContaining('the boot loader could not be told: Cannot install: RAUC said so') },
    });
  });

  it('replaces the earlier result of the same check', () => {
    const first = transition(STATES.checking, EVENTS['check-finished']);
    if (!('state' in first)) throw new Error('refused');
    const again = { ...EVENTS['check-finished'].check, detail: 'answers again' };
    const second = transition(first.state, { ...EVENTS['check-finished'], check: again });
    expect('state' in second && second.state).toMatchObject({ checks: [again] });
  });
});

/** A step in the words of the table above. */
function describeStep(before: UpdateState, step: Step): string {
  if ('refusal' in step) return `refused ${step.refusal.code}`;
  const { state, effects } = step;
  const news = state.phase === before.phase && state !== before ? '= ' : '';
  return `${news}${phaseOf(state)}${
    effects.length > 0
      ? `: ${effects
          .map(({ type }) => type)
          .sort()
          .join(', ')}`
      : ''
  }`;
}

function phaseOf(state: UpdateState): string {
  return 'reason' in state ? `${state.phase} ${state.reason.code}` : state.phase;
}
