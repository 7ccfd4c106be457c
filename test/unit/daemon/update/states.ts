// SPDX-License-Identifier: Apache-2.0
import type { EventOf, EventType } from '../../../../agent/daemon/update/life/event.ts';
import type { Phase, StateOf } from '../../../../agent/daemon/update/life/state.ts';
import { Failure } from '../../../../agent/shared/failure.ts';

/** One state in each phase and one event of each type, all of one story: version 2 from slot A to slot B. */

export const ARMED_BOOT = '11111111-1111-4111-8111-111111111111';
export const TRIAL_BOOT = '22222222-2222-4222-8222-222222222222';
export const LATER_BOOT = '33333333-3333-4333-8333-333333333333';
export const OPERATION_ID = '99999999-9999-4999-8999-999999999999';

export const WINDOW = 'Sat 02:00-05:00 Europe/Berlin';

const operation = {
  id: OPERATION_ID,
  source: { type: 'path', path: '/var/v2.raucb' },
  rebootPolicy: 'automatic',
  force: false,
  allowDowngrade: false,
  bytesPerSecond: 0,
  window: '',
  requestedBy: 'alice',
} as const;
const asked = { operation, fetched: null, phaseChanges: [{ phase: 'inspecting', atMs: 1 }] };
const bundle = {
  compatible: 'lamadist-test',
  version: '2',
  description: '',
  build: '',
  format: 'plain',
  manifestHash: 'abc',
  images: [{ slotClass: 'rootfs', sizeBytes: 1000 }],
};
const inspected = {
  ...asked,
  bundle,
  location: '/var/v2.raucb',
  sourceSlot: { name: 'rootfs.0', bootname: 'A' },
  targetSlot: { name: 'rootfs.1', bootname: 'B' },
  armedBootId: ARMED_BOOT,
};
const onTrial = { ...inspected, trialBootIds: [TRIAL_BOOT], attempts: 1, checks: [] };
const reason = { code: 'CHECK_FAILED', message: 'Cannot call this boot healthy: check "web" failed', failedChecks: ['web'] };
const { operation: _operation, fetched: _fetched, phaseChanges: _phaseChanges, ...written } = inspected;
const url = { ...operation, source: { type: 'url', url: 'https://bundles.example/v2.raucb' } } as const;

export const STATES: { readonly [P in Phase]: StateOf<P> } = {
  idle: { phase: 'idle' },
  scheduled: { phase: 'scheduled', ...asked, operation: { ...operation, window: WINDOW }, opensAtMs: null },
  paused: { phase: 'paused', ...asked, written },
  downloading: { phase: 'downloading', ...asked, operation: url, fetched: { bytes: 100, sizeBytes: 1000 }, heldUp: '' },
  inspecting: { phase: 'inspecting', ...asked, location: '/var/v2.raucb' },
  installing: { phase: 'installing', ...inspected, percent: 40, message: 'Copying image to rootfs.1', cancelled: null, pausing: false },
  installed: { phase: 'installed', ...inspected },
  activating: { phase: 'activating', ...inspected },
  'pending-reboot': { phase: 'pending-reboot', ...inspected },
  trial: { phase: 'trial', ...onTrial },
  checking: { phase: 'checking', ...onTrial },
  committing: { phase: 'committing', ...onTrial },
  committed: { phase: 'committed', ...onTrial },
  'rolling-back': { phase: 'rolling-back', ...onTrial, reason, onTarget: true, rollbackAttempts: 1 },
  'rolled-back': { phase: 'rolled-back', ...onTrial, reason, failedBootLog: '' },
  failed: { phase: 'failed', ...asked, bundle, targetSlot: inspected.targetSlot, reason },
};

const atMs = 1000;
const failure = new Failure('INSTALL_FAILED', 'Cannot install: RAUC said so');

export const EVENTS: { readonly [T in EventType]: EventOf<T> } = {
  'install-requested': { type: 'install-requested', atMs, operation },
  'pause-requested': { type: 'pause-requested', atMs },
  'resume-requested': { type: 'resume-requested', atMs },
  'cancel-requested': { type: 'cancel-requested', atMs, message: 'not today' },
  'window-planned': { type: 'window-planned', atMs, opensAtMs: 5000 },
  'window-opened': { type: 'window-opened', atMs },
  'rollback-requested': { type: 'rollback-requested', atMs, message: 'too slow', bootname: 'B', otherSlotGood: true },
  'fetch-held-up': { type: 'fetch-held-up', atMs, operationId: OPERATION_ID, message: 'Cannot fetch the bundle: nobody answers' },
  'bundle-fetched': { type: 'bundle-fetched', atMs, operationId: OPERATION_ID, bytes: 500, sizeBytes: 1000 },
  'bundle-delivered': { type: 'bundle-delivered', atMs, location: '/var/lib/lamadist-agent/download/x.raucb' },
  inspected: {
    type: 'inspected',
    atMs,
    bundle,
    nodeCompatible: 'lamadist-test',
    failedHere: false,
    sourceSlot: inspected.sourceSlot,
    targetSlot: inspected.targetSlot,
    bootId: ARMED_BOOT,
    runningVersion: '1',
    targetSlots: [{ name: 'rootfs.1', slotClass: 'rootfs', sizeBytes: 1000 }],
  },
  'install-progress': { type: 'install-progress', atMs, percent: 60, message: 'Copying image to rootfs.1' },
  'install-completed': { type: 'install-completed', atMs },
  'slot-verified': { type: 'slot-verified', atMs },
  activated: { type: 'activated', atMs },
  'target-confirmed': { type: 'target-confirmed', atMs },
  'check-finished': {
    type: 'check-finished',
    atMs,
    check: { name: 'web', severity: 'required', outcome: 'passed', detail: 'answers', attempts: 1, durationMs: 5, atMs },
  },
  'gate-passed': { type: 'gate-passed', atMs },
  'gate-failed': { type: 'gate-failed', atMs, code: 'CHECK_FAILED', message: reason.message, failedChecks: ['web'] },
  'marked-good': { type: 'marked-good', atMs },
  'source-restored': { type: 'source-restored', atMs },
  'boot-log-read': { type: 'boot-log-read', atMs, log: 'k3s: cannot start' },
  'effect-failed': { type: 'effect-failed', atMs, effect: 'install', failure },
  'agent-started': { type: 'agent-started', atMs, bootId: ARMED_BOOT, bootname: 'A', records: [] },
};
