// SPDX-License-Identifier: Apache-2.0
import { FAILURES } from '../../../shared/failure.ts';

/**
 * Every reason for a rollback, and what the administrator can do about it. docs/OPERATIONS.md lists the same codes; a test
 * compares the two.
 */
export const ROLLBACK_CODES = {
  CHECK_FAILED: {
    why: 'a required health check failed',
    remedy: 'mend what the check found, in the image or around the node, and install again with --force',
  },
  CHECK_BROKEN: {
    why: 'a health check file could not be read, or there was no required check',
    remedy: 'correct what the message names, and install again with --force',
  },
  GATE_TIMED_OUT: {
    why: 'the required health checks did not all pass before the deadline of the gate',
    remedy: 'look at the checks with "lamactl health"; a node that is slow needs a longer health.gate-deadline',
  },
  AGENT_CRASHED: {
    why: 'the agent of the new slot ended again and again during the trial',
    remedy: 'read the log of the failed boot with "lamactl history --log", and build another image',
  },
  DEADLINE_EXPIRED: {
    why: 'nothing committed the slot before the commit deadline',
    remedy: 'read the log of the failed boot with "lamactl history --log": the agent did not come up, or the boot hung',
  },
  TRIAL_INTERRUPTED: {
    why: 'the trial boot ended without a word: power loss, reset, or a kernel panic',
    remedy: 'install again with --force if the power failed; otherwise look at the console of the node',
  },
  NEVER_REACHED_USERSPACE: {
    why: 'no trial boot was recorded: the target slot did not start, or could not use the data file system',
    remedy: 'look at the console of the node while it boots the image: signature, verity, or a driver of the disk',
  },
  WRONG_SLOT_BOOTED: {
    why: 'the booted slot does not hold what was installed',
    remedy: 'compare "rauc status" on the node with the boot order of its firmware',
  },
  ACTIVATION_FAILED: {
    why: 'the target slot could not be made the primary one',
    remedy: 'look at the boot loader that RAUC drives, and at "journalctl -u rauc" on the node; then install again',
  },
  COMMIT_FAILED: {
    why: 'the slot was healthy but could not be marked good',
    remedy: 'look at the boot loader that RAUC drives, and at "journalctl -u rauc" on the node; then install again',
  },
  REQUESTED: { why: 'an administrator asked for it', remedy: 'nothing is to be done; install again when you want the version' },
  CANCELLED: {
    why: 'an administrator cancelled it before the slot was activated',
    remedy: 'nothing is to be done; install again when you want the version',
  },
} as const satisfies Record<string, { readonly why: string; readonly remedy: string }>;

export type RollbackCode = keyof typeof ROLLBACK_CODES;

/** What to do about an update that ended for this reason. Empty for a code that a newer agent knows and this one does not. */
export function remedyFor(code: string): string {
  const known: Readonly<Record<string, { readonly remedy: string }>> = { ...FAILURES, ...ROLLBACK_CODES };
  return known[code]?.remedy ?? '';
}
