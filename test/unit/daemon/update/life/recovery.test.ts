// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TrialRecord } from '../../../../../agent/daemon/update/life/event.ts';
import { transition } from '../../../../../agent/daemon/update/life/lifecycle.ts';
import { PHASES, type Phase, type UpdateState } from '../../../../../agent/daemon/update/life/state.ts';
import { ARMED_BOOT, EVENTS, LATER_BOOT, OPERATION_ID, STATES, TRIAL_BOOT, WINDOW } from '../states.ts';

/** Where the agent finds itself when it starts again. */
const SITUATIONS = {
  'the same boot': { bootId: ARMED_BOOT, bootname: 'A' },
  'the target slot': { bootId: LATER_BOOT, bootname: 'B' },
  'the source slot after another boot': { bootId: LATER_BOOT, bootname: 'A' },
} as const;

type Situation = keyof typeof SITUATIONS;

const unmoved = (phase: string): Record<Situation, string> => ({
  'the same boot': phase,
  'the target slot': phase,
  'the source slot after another boot': phase,
});

const trialGoesOn: Record<Situation, string> = {
  'the same boot': 'rolling-back TRIAL_INTERRUPTED: restore-source',
  'the target slot': 'trial: confirm-target',
  'the source slot after another boot': 'rolling-back TRIAL_INTERRUPTED: restore-source',
};

const RECOVERY: { readonly [P in Phase]: Record<Situation, string> } = {
  idle: unmoved('idle'),
  scheduled: unmoved('scheduled: await-window'),
  paused: {
    'the same boot': 'paused',
    'the target slot': 'trial: confirm-target',
    'the source slot after another boot': 'paused',
  },
  downloading: unmoved('downloading: deliver'),
  inspecting: unmoved('inspecting: inspect'),
  installing: {
    'the same boot': 'installing: rejoin-install',
    'the target slot': 'trial: confirm-target',
    'the source slot after another boot': 'failed INSTALL_INTERRUPTED: clean-up',
  },
  installed: {
    'the same boot': 'installed: verify-slot',
    'the target slot': 'trial: confirm-target',
    'the source slot after another boot': 'installed: verify-slot',
  },
  activating: {
    'the same boot': 'activating: activate',
    'the target slot': 'trial: confirm-target',
    'the source slot after another boot': 'rolling-back NEVER_REACHED_USERSPACE: restore-source',
  },
  'pending-reboot': {
    'the same boot': 'pending-reboot: reboot',
    'the target slot': 'trial: confirm-target',
    'the source slot after another boot': 'rolling-back NEVER_REACHED_USERSPACE: restore-source',
  },
  trial: trialGoesOn,
  checking: trialGoesOn,
  committing: trialGoesOn,
  committed: unmoved('committed'),
  'rolling-back': unmoved('rolling-back CHECK_FAILED: restore-source'),
  'rolled-back': unmoved('rolled-back CHECK_FAILED'),
  failed: unmoved('failed CHECK_FAILED'),
};

const start = (state: UpdateState, situation: Situation, records: readonly TrialRecord[] = []): UpdateState & { effects: string } => {
  const step = transition(state, { ...EVENTS['agent-started'], ...SITUATIONS[situation], records });
  if ('refusal' in step) throw step.refusal;
  return { ...step.state, effects: step.effects.map(({ type }) => type).join(', ') };
};

const record = (what: TrialRecord['what'], detail = '', bootId = TRIAL_BOOT): TrialRecord => ({
  operationId: OPERATION_ID,
  bootId,
  what,
  detail,
});

describe('an agent that starts again', () => {
  const cells = PHASES.flatMap((phase) => (Object.keys(SITUATIONS) as Situation[]).map((situation) => [phase, situation] as const));

  it.each(cells)('in phase %s, on %s, goes on as the table says', (phase, situation) => {
    const { effects, ...state } = start(STATES[phase], situation);
    const where = 'reason' in state ? `${state.phase} ${state.reason.code}` : state.phase;
    expect(effects ? `${where}: ${effects}` : where).toBe(RECOVERY[phase][situation]);
  });

  it('leaves no update without an end or a next step', () => {
    for (const [phase, situation] of cells) {
      const { effects, ...state } = start(STATES[phase], situation);
      const ended = ['idle', 'paused', 'committed', 'rolled-back', 'failed'].includes(state.phase);
      expect(ended || effects !== '', `${phase} on ${situation}`).toBe(true);
    }
  });

  it('waits for the administrator again where the reboot is manual', () => {
    const manual = { ...STATES['pending-reboot'], operation: { ...STATES['pending-reboot'].operation, rebootPolicy: 'manual' as const } };
    expect(start(manual, 'the same boot')).toMatchObject({ phase: 'pending-reboot', effects: '' });
  });

  it.each(['downloading', 'inspecting'] as const)('waits for its window again when it was %s', (phase) => {
    const windowed = { ...STATES[phase], operation: { ...STATES[phase].operation, window: WINDOW } };
    expect(start(windowed, 'the source slot after another boot')).toMatchObject({ phase: 'scheduled', effects: 'await-window' });
  });

  it('arms the slot for the boot in which it is resumed', () => {
    expect(start(STATES.paused, 'the source slot after another boot')).toMatchObject({ written: { armedBootId: LATER_BOOT } });
  });

  it('counts the boots and the attempts of a trial', () => {
    expect(start(STATES.checking, 'the target slot')).toMatchObject({ attempts: 2, trialBootIds: [TRIAL_BOOT, LATER_BOOT] });
  });

  it('gives up a trial in which the agent ended again and again', () => {
    const tired = { ...STATES.checking, attempts: 4 };
    expect(start(tired, 'the target slot')).toMatchObject({
      phase: 'rolling-back',
      onTarget: true,
      reason: { code: 'AGENT_CRASHED', message: expect.stringContaining('ended 4 times') },
    });
  });

  it.each([
    ['nothing', [], 'NEVER_REACHED_USERSPACE'],
    ['a trial boot', [record('trial')], 'TRIAL_INTERRUPTED'],
    ['an expired deadline', [record('trial'), record('deadline')], 'DEADLINE_EXPIRED'],
    ['an agent that failed', [record('trial'), record('agent-failed', 'exit-code 1')], 'AGENT_CRASHED'],
    ['a trial of another operation', [{ ...record('trial'), operationId: 'another' }], 'NEVER_REACHED_USERSPACE'],
  ] as const)('back on the source slot with %s on record says %s', (_what, records, code) => {
    expect(start(STATES['pending-reboot'], 'the source slot after another boot', records)).toMatchObject({ reason: { code } });
  });

  it('repeats what the unit of the trial found out about the agent', () => {
    const state = start(STATES['pending-reboot'], 'the source slot after another boot', [record('agent-failed', 'exit-code 1')]);
    expect('reason' in state && state.reason.message).toContain('(exit-code 1)');
  });

  it('knows the boots of a trial that only the early unit saw', () => {
    expect(start(STATES['pending-reboot'], 'the source slot after another boot', [record('trial')])).toMatchObject({
      trialBootIds: [TRIAL_BOOT],
    });
  });

  it('arms the boot of now when a written slot was not activated before a reboot', () => {
    expect(start(STATES.installed, 'the source slot after another boot')).toMatchObject({ armedBootId: LATER_BOOT });
  });

  it('tells a rollback on the target slot from one on the source slot', () => {
    expect(start(STATES['rolling-back'], 'the target slot')).toMatchObject({ onTarget: true });
    expect(start(STATES['rolling-back'], 'the source slot after another boot')).toMatchObject({ onTarget: false });
  });
});
