// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import type { RollbackCode } from '../life/rollback-code.ts';
import type { EndedUpdate, StateOf } from '../life/state.ts';

/** A version that was rolled back on this node. Loose: what a newer agent adds to it is kept for that agent. */
export const FailedVersionSchema = v.looseObject({ version: v.string(), operationId: v.string(), code: v.string(), atMs: v.number() });
export type FailedVersion = v.InferOutput<typeof FailedVersionSchema>;

/** The rollbacks that say something about the bundle. The others say something about a wish, or about the boot loader. */
const THE_BUNDLES_FAULT: ReadonlySet<string> = new Set<RollbackCode>([
  'CHECK_FAILED',
  'CHECK_BROKEN',
  'GATE_TIMED_OUT',
  'AGENT_CRASHED',
  'DEADLINE_EXPIRED',
  'TRIAL_INTERRUPTED',
  'NEVER_REACHED_USERSPACE',
  'WRONG_SLOT_BOOTED',
]);

/** Whether an ended update shows that its version must not be installed here again unless somebody insists. */
export const showsBadVersion = (update: EndedUpdate): boolean =>
  update.phase === 'rolled-back' && THE_BUNDLES_FAULT.has(update.reason.code);

/** What the journal remembers of a rollback that shows a bad version. */
export function failedVersion({ bundle, operation, reason, phaseChanges }: StateOf<'rolled-back'>): FailedVersion {
  return { version: bundle.version, operationId: operation.id, code: reason.code, atMs: phaseChanges.at(-1)?.atMs ?? 0 };
}
