// SPDX-License-Identifier: Apache-2.0
import type { CheckResult, Device, Health } from '../../../agent/lamactl/node/node-device.ts';
import type { Phase, Update } from '../../../agent/lamactl/node/node-update.ts';

/* What a node in good order answers; a test changes the part that it is about. */

export const DEVICE: Device = {
  hostname: 'attic',
  machineId: '0123456789abcdef0123456789abcdef',
  bootId: 'boot-1',
  bootedAt: '2026-11-20T10:00:00.000Z',
  imageId: 'lamadist',
  imageVersion: '1.0.0',
  kernelRelease: '6.12.0',
  architecture: 'x86_64',
  agentVersion: '0.1.0',
  compatible: 'lamadist-virtual',
  slots: [
    {
      name: 'rootfs.0',
      bootname: 'A',
      device: '/dev/vda3',
      booted: true,
      primary: true,
      bootStatus: 'good',
      version: '1.0.0',
      status: 'ok',
      installedAt: '2026-11-19T10:00:00.000Z',
    },
    { name: 'rootfs.1', bootname: 'B', device: '/dev/vda5', booted: false, primary: false, bootStatus: 'bad', version: '', status: '' },
  ],
  rauc: 'reachable',
  bus: 'reachable',
};

export const CHECK: CheckResult = {
  name: 'k3s',
  severity: 'required',
  outcome: 'passed',
  detail: 'k3s.service is active',
  attempts: 1,
  duration: '0.012s',
};

export const HEALTH: Health = { verdict: 'passed', checks: [CHECK], brokenChecks: [] };

const BUNDLE = { compatible: 'lamadist-virtual', version: '2.0.0', description: '', build: '', format: 'verity', manifestHash: 'ab12' };

export function updateIn(phase: Phase, changes: Partial<Update> = {}): Update {
  return {
    operationId: 'op-1',
    phase,
    source: { path: '/data/two.raucb' },
    bundle: BUNDLE,
    sourceSlot: 'rootfs.0',
    targetSlot: 'rootfs.1',
    requestedBy: 'admin',
    rebootPolicy: 'automatic',
    force: false,
    window: '',
    pausing: false,
    phaseChanges: [{ phase, at: '2026-11-20T11:00:00.000Z' }],
    checks: [],
    trialBootIds: [],
    failedBootLog: '',
    ...changes,
  };
}

export const ROLLED_BACK = updateIn('rolled-back', {
  reason: {
    code: 'CHECK_FAILED',
    message: 'Cannot commit 2.0.0: a required check did not pass',
    failedChecks: ['k3s'],
    remedy: 'mend what the check found',
  },
  checks: [{ ...CHECK, outcome: 'timed-out', detail: 'no answer within 10 s' }],
  failedBootLog: 'first line\nk3s: cannot start\n',
});
