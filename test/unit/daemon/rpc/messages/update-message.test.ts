// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { checkMessage, timestamp, updateMessage } from '../../../../../agent/daemon/rpc/messages/update-message.ts';
import { ROLLBACK_CODES } from '../../../../../agent/daemon/update/life/rollback-code.ts';
import { PHASES, type Update } from '../../../../../agent/daemon/update/life/state.ts';
import { FAILURES } from '../../../../../agent/shared/failure.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { STATES } from '../../update/states.ts';

const { CheckOutcome, CheckSeverity, RebootPolicy, Update: Message, UpdatePhase } = lamadist.agent.v1;

/** As a client reads it. */
const overTheWire = (update: Update) => Message.decode(Message.encode(updateMessage(update)).finish());
const phases = PHASES.filter((phase) => phase !== 'idle');

describe('an update as a message', () => {
  it.each(phases)('in phase %s says so, and who asked for what', (phase) => {
    const message = overTheWire(STATES[phase]);
    expect(UpdatePhase[message.phase]).toBe(`UPDATE_PHASE_${phase.toUpperCase().replace('-', '_')}`);
    expect(message).toMatchObject({
      operationId: STATES[phase].operation.id,
      requestedBy: 'alice',
      rebootPolicy: RebootPolicy.REBOOT_POLICY_AUTOMATIC,
      phaseChanges: [{ phase: UpdatePhase.UPDATE_PHASE_INSPECTING, at: { nanos: 1_000_000 } }],
    });
  });

  /** What is in a message beside what every phase has. */
  const EXTRAS = ['bundle', 'sourceSlot', 'targetSlot', 'progress', 'trialBootIds', 'reason'] as const;
  const INSPECTED = ['bundle', 'sourceSlot', 'targetSlot'];
  const TRIAL = [...INSPECTED, 'trialBootIds'];
  it.each<[Exclude<(typeof phases)[number], 'idle'>, string[]]>([
    ['downloading', ['progress']],
    ['inspecting', []],
    ['installing', [...INSPECTED, 'progress']],
    ['installed', INSPECTED],
    ['activating', INSPECTED],
    ['pending-reboot', INSPECTED],
    ['trial', TRIAL],
    ['checking', TRIAL],
    ['committing', TRIAL],
    ['committed', TRIAL],
    ['rolling-back', [...TRIAL, 'reason']],
    ['rolled-back', [...TRIAL, 'reason']],
    ['failed', ['bundle', 'targetSlot', 'reason']],
  ])('in phase %s has what is known by then', (phase, expected) => {
    const message = overTheWire(STATES[phase]) as unknown as Record<string, unknown>;
    const known = EXTRAS.filter((name) => Object.hasOwn(message, name) && (message[name] as { length?: number }).length !== 0);
    expect(new Set(known)).toEqual(new Set(expected));
  });

  it.each([...Object.entries(FAILURES), ...Object.entries(ROLLBACK_CODES)])('that ended with %s says what to do', (code, { remedy }) => {
    const message = overTheWire({ ...STATES.failed, reason: { code, message: 'Cannot go on', failedChecks: [] } });
    expect(message.reason).toMatchObject({ code, remedy });
    expect(remedy).not.toBe('');
  });

  it('that ended for a reason that this agent does not know says what it knows', () => {
    const message = overTheWire({ ...STATES.failed, reason: { code: 'OF_A_NEWER_AGENT', message: 'Cannot go on', failedChecks: [] } });
    expect(message.reason).toMatchObject({ code: 'OF_A_NEWER_AGENT', remedy: '' });
  });

  it('tells where the bundle is, how far it is, and why it ended', () => {
    expect(overTheWire(STATES.installing)).toMatchObject({
      source: { path: '/var/v2.raucb' },
      bundle: { version: '2', manifestHash: 'abc' },
      progress: { percent: 40, message: 'Copying image to rootfs.1' },
    });
    expect(overTheWire(STATES.downloading).source).toMatchObject({ url: 'https://bundles.example/v2.raucb' });
    expect(overTheWire({ ...STATES['rolled-back'], failedBootLog: 'k3s: cannot start' })).toMatchObject({
      reason: { code: 'CHECK_FAILED', failedChecks: ['web'] },
      failedBootLog: 'k3s: cannot start',
    });
  });

  it('of a failure before the inspection has no bundle', () => {
    const message = overTheWire({ ...STATES.failed, bundle: null, targetSlot: null });
    expect(message.bundle ?? undefined).toBeUndefined();
    expect(message.targetSlot).toBe('');
  });

  it('shows a phase of a newer agent as unspecified', () => {
    const phaseChanges = [{ phase: 'dreaming', atMs: 0 }];
    expect(overTheWire({ ...STATES.committed, phaseChanges }).phaseChanges?.[0]?.phase).toBe(UpdatePhase.UPDATE_PHASE_UNSPECIFIED);
  });
});

describe('a check as a message', () => {
  it.each([
    ['pending', CheckOutcome.CHECK_OUTCOME_PENDING],
    ['passed', CheckOutcome.CHECK_OUTCOME_PASSED],
    ['failed', CheckOutcome.CHECK_OUTCOME_FAILED],
    ['timed-out', CheckOutcome.CHECK_OUTCOME_TIMED_OUT],
  ] as const)('that is %s says so', (outcome, expected) => {
    const check = { name: 'web', severity: 'advisory', outcome, detail: 'd', attempts: 2, durationMs: 1_234.5, atMs: 5 } as const;
    expect(checkMessage(check)).toEqual({
      name: 'web',
      severity: CheckSeverity.CHECK_SEVERITY_ADVISORY,
      outcome: expected,
      detail: 'd',
      attempts: 2,
      duration: { seconds: 1, nanos: 234_000_000 },
      at: { seconds: 0, nanos: 5_000_000 },
    });
  });
});

describe('a moment as a message', () => {
  it.each([
    [0, 0, 0],
    [999, 0, 999_000_000],
    [1_000, 1, 0],
    [Date.UTC(2106, 1, 7, 6, 28, 16, 1), 4_294_967_296, 1_000_000],
  ])('of %i ms', (ms, seconds, nanos) => {
    expect(timestamp(ms)).toEqual({ seconds, nanos });
  });
});
