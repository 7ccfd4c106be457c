// SPDX-License-Identifier: Apache-2.0
import { lamadist } from '../../../shared/gen/messages.js';
import type { Check, CheckResult } from '../../health/check.ts';
import type { Bundle } from '../../update/installer.ts';
import { remedyFor } from '../../update/life/rollback-code.ts';
import type { CheckRecord, Phase, Update } from '../../update/life/state.ts';

const { CheckOutcome, CheckSeverity, RebootPolicy, UpdatePhase } = lamadist.agent.v1;
type UpdateMessage = lamadist.agent.v1.Update.$Properties;
type CheckMessage = lamadist.agent.v1.CheckResult.$Properties;

export const PHASE: Record<Phase, lamadist.agent.v1.UpdatePhase> = {
  idle: UpdatePhase.UPDATE_PHASE_IDLE,
  scheduled: UpdatePhase.UPDATE_PHASE_SCHEDULED,
  paused: UpdatePhase.UPDATE_PHASE_PAUSED,
  downloading: UpdatePhase.UPDATE_PHASE_DOWNLOADING,
  inspecting: UpdatePhase.UPDATE_PHASE_INSPECTING,
  installing: UpdatePhase.UPDATE_PHASE_INSTALLING,
  installed: UpdatePhase.UPDATE_PHASE_INSTALLED,
  activating: UpdatePhase.UPDATE_PHASE_ACTIVATING,
  'pending-reboot': UpdatePhase.UPDATE_PHASE_PENDING_REBOOT,
  trial: UpdatePhase.UPDATE_PHASE_TRIAL,
  checking: UpdatePhase.UPDATE_PHASE_CHECKING,
  committing: UpdatePhase.UPDATE_PHASE_COMMITTING,
  committed: UpdatePhase.UPDATE_PHASE_COMMITTED,
  'rolling-back': UpdatePhase.UPDATE_PHASE_ROLLING_BACK,
  'rolled-back': UpdatePhase.UPDATE_PHASE_ROLLED_BACK,
  failed: UpdatePhase.UPDATE_PHASE_FAILED,
};

export const OUTCOME: Record<CheckResult['outcome'], lamadist.agent.v1.CheckOutcome> = {
  pending: CheckOutcome.CHECK_OUTCOME_PENDING,
  passed: CheckOutcome.CHECK_OUTCOME_PASSED,
  failed: CheckOutcome.CHECK_OUTCOME_FAILED,
  'timed-out': CheckOutcome.CHECK_OUTCOME_TIMED_OUT,
};

export const SEVERITY: Record<Check['severity'], lamadist.agent.v1.CheckSeverity> = {
  required: CheckSeverity.CHECK_SEVERITY_REQUIRED,
  advisory: CheckSeverity.CHECK_SEVERITY_ADVISORY,
};

/** google.protobuf.Timestamp of a moment in milliseconds since the epoch. */
export const timestamp = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: Math.floor(ms % 1000) * 1_000_000 });
const duration = timestamp;

export const bundleMessage = ({ images: _images, ...bundle }: Bundle): lamadist.agent.v1.Bundle.$Properties => bundle;

export function checkMessage(check: CheckRecord): CheckMessage {
  return {
    name: check.name,
    severity: SEVERITY[check.severity],
    outcome: OUTCOME[check.outcome],
    detail: check.detail,
    attempts: check.attempts,
    duration: duration(check.durationMs),
    at: timestamp(check.atMs),
  };
}

/** An update as the API shows it: what its phase does not have yet is left out. */
export function updateMessage(update: Update): UpdateMessage {
  const { operation } = update;
  return {
    operationId: operation.id,
    phase: PHASE[update.phase],
    source: sourceMessage(operation.source),
    requestedBy: operation.requestedBy,
    rebootPolicy: operation.rebootPolicy === 'automatic' ? RebootPolicy.REBOOT_POLICY_AUTOMATIC : RebootPolicy.REBOOT_POLICY_MANUAL,
    force: operation.force,
    window: operation.window,
    phaseChanges: update.phaseChanges.map(({ phase, atMs }) => ({ phase: PHASE[phase as Phase] ?? 0, at: timestamp(atMs) })),
    ...(update.fetched && { fetched: { fetchedBytes: update.fetched.bytes, bundleBytes: update.fetched.sizeBytes } }),
    ...('bundle' in update && update.bundle && { bundle: bundleMessage(update.bundle) }),
    ...('sourceSlot' in update && { sourceSlot: update.sourceSlot.name }),
    ...('targetSlot' in update && update.targetSlot && { targetSlot: update.targetSlot.name }),
    ...(update.phase === 'scheduled' && update.opensAtMs !== null && { startsAt: timestamp(update.opensAtMs) }),
    ...(update.phase === 'installing' && { pausing: update.pausing }),
    ...progressOf(update),
    ...('checks' in update && { checks: update.checks.map(checkMessage), trialBootIds: update.trialBootIds }),
    ...('reason' in update && { reason: { ...update.reason, remedy: remedyFor(update.reason.code) } }),
    ...('failedBootLog' in update && { failedBootLog: update.failedBootLog }),
  };
}

function sourceMessage(source: Update['operation']['source']): lamadist.agent.v1.BundleSource.$Properties {
  if (source.type === 'path') return { path: source.path };
  if (source.type === 'url') return { url: source.url };
  const { name, sizeBytes, sha256 } = source;
  return { client: { name, sizeBytes, sha256 } };
}

function progressOf(update: Update): Pick<UpdateMessage, 'progress'> {
  if (update.phase === 'downloading') {
    const { bytes, sizeBytes } = update.fetched ?? { bytes: 0, sizeBytes: 1 };
    const message = update.heldUp === '' ? 'Fetching the bundle' : `Waiting to try again: ${update.heldUp}`;
    return { progress: { percent: Math.floor((bytes / sizeBytes) * 100), message } };
  }
  if (update.phase === 'installing') return { progress: { percent: Math.floor(update.percent), message: update.message } };
  return {};
}
