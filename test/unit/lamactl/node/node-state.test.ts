// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { judgeChecks, judgeHealth, judgeNode, type State } from '../../../../agent/lamactl/node/node-state.ts';
import type { Phase } from '../../../../agent/lamactl/node/node-update.ts';
import { PHASES } from '../../../../agent/lamactl/node/wire/wire-names.ts';
import { CHECK, DEVICE, HEALTH, updateIn } from '../answers.ts';

const EXPECTED: Record<Phase, State> = {
  unknown: 'unknown',
  idle: 'healthy',
  scheduled: 'healthy',
  paused: 'updating',
  downloading: 'updating',
  inspecting: 'updating',
  installing: 'updating',
  installed: 'updating',
  activating: 'updating',
  'pending-reboot': 'updating',
  trial: 'trial',
  checking: 'trial',
  committing: 'trial',
  committed: 'healthy',
  'rolling-back': 'updating',
  'rolled-back': 'healthy',
  failed: 'healthy',
};

describe('the state of a node', () => {
  it.each(PHASES)('with an update that is %s', (phase) => {
    expect(judgeNode(DEVICE, HEALTH, updateIn(phase)).state).toBe(EXPECTED[phase]);
  });

  it('is healthy when no update was ever asked for', () => {
    expect(judgeNode(DEVICE, HEALTH, undefined)).toEqual({ state: 'healthy', why: '' });
  });

  it('is never fine while RAUC cannot be asked', () => {
    expect(judgeNode({ ...DEVICE, rauc: 'unreachable' }, HEALTH, undefined).state).toBe('unhealthy');
    expect(judgeNode({ ...DEVICE, rauc: 'unknown' }, HEALTH, undefined).state).toBe('unknown');
  });

  it('is unhealthy even while it is updating', () => {
    expect(judgeNode(DEVICE, { ...HEALTH, verdict: 'failed' }, updateIn('installing')).state).toBe('unhealthy');
  });
});

describe('the health of a node', () => {
  it.each([
    ['passed', 'healthy'],
    ['failed', 'unhealthy'],
    ['pending', 'unknown'],
    ['unknown', 'unknown'],
  ] as const)('with the verdict %s is %s', (verdict, state) => {
    expect(judgeHealth({ ...HEALTH, verdict }).state).toBe(state);
  });

  it('does not suffer from an advisory check', () => {
    const checks = [CHECK, { ...CHECK, severity: 'advisory', outcome: 'failed' } as const];
    expect(judgeHealth({ ...HEALTH, checks }).state).toBe('healthy');
    expect(judgeChecks({ checks, brokenChecks: [] }).state).toBe('healthy');
  });

  it('takes a check of unknown severity for a required one', () => {
    expect(judgeChecks({ checks: [{ ...CHECK, severity: 'unknown', outcome: 'failed' }], brokenChecks: [] }).state).toBe('unhealthy');
  });
});
