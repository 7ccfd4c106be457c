// SPDX-License-Identifier: Apache-2.0

import { FAILURES, type Failure, type StatusName } from '../shared/failure.ts';
import type { State } from './node/node-state.ts';

/**
 * Every exit code of lamactl, from the mildest to the worst: with many nodes, the worst one counts.
 * docs/LAMACTL.md lists the same table; a test compares the two.
 */
export const EXIT_CODES = {
  done: { code: 0, meaning: 'what was asked is done; of an update: it is committed; of "status" and "health": every node is healthy' },
  'first-use': { code: 14, meaning: 'the evidence holds, but some of what it is compared with was believed when it was first seen' },
  'under-way': {
    code: 12,
    meaning:
      'an update is under way and goes on without lamactl (Ctrl-C, a manual reboot, a node on trial), or a rotation of authorities waits',
  },
  'not-found': { code: 11, meaning: 'there is nothing of the kind: no such update, bundle or rollout, and for "discover" no node' },
  refused: { code: 7, meaning: 'the node could not, or would not, do what was asked in its present state; the message says why' },
  'rolled-back': { code: 9, meaning: 'the update was rolled back; the node runs what it ran before' },
  'update-failed': { code: 8, meaning: 'the update failed before its slot was booted; the node runs what it ran before' },
  unhealthy: { code: 10, meaning: 'a required check does not pass, or RAUC does not answer, on a node that answers itself' },
  deadline: { code: 13, meaning: 'the time given by --timeout or --wait was over first' },
  unattested: { code: 15, meaning: 'the node has no TPM and can prove nothing' },
  unknown: { code: 4, meaning: 'a node could not be reached, or cannot tell its state; it is unknown, never fine' },
  rejected: {
    code: 16,
    meaning: 'the evidence of a node does not hold or cannot be read, or it gives none where it is required; the message says why',
  },
  'permission-denied': { code: 6, meaning: "the role of lamactl's certificate does not allow this" },
  unauthenticated: { code: 5, meaning: 'the node did not accept the certificate of lamactl, or lamactl not that of the node' },
  configuration: { code: 3, meaning: 'the context file, a certificate or a key cannot be used' },
  usage: { code: 2, meaning: 'the command line, or a value in it, is wrong' },
  internal: { code: 1, meaning: 'lamactl or the agent has a bug' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type ExitName = keyof typeof EXIT_CODES;

/** From the mildest to the worst. */
export const EXIT_NAMES = Object.keys(EXIT_CODES) as readonly ExitName[];

/** The exit of many: the worst; of none: done. */
export function worst(exits: readonly ExitName[]): ExitName {
  return EXIT_NAMES.findLast((name) => exits.includes(name)) ?? 'done';
}

const BY_STATUS = {
  INVALID_ARGUMENT: 'usage',
  DEADLINE_EXCEEDED: 'deadline',
  NOT_FOUND: 'not-found',
  PERMISSION_DENIED: 'permission-denied',
  RESOURCE_EXHAUSTED: 'refused',
  FAILED_PRECONDITION: 'refused',
  ABORTED: 'refused',
  INTERNAL: 'internal',
  UNAVAILABLE: 'refused',
  DATA_LOSS: 'refused',
  UNAUTHENTICATED: 'unauthenticated',
} as const satisfies Record<StatusName, ExitName>;

/** The exit of a call that failed. */
export function exitOfFailure(failure: Failure): ExitName {
  switch (failure.code) {
    case 'NODE_UNREACHABLE':
      return 'unknown';
    case 'CONFIG_INVALID':
      return 'configuration';
    case 'NOT_TRUSTED':
    case 'EVIDENCE_INVALID':
      return 'rejected';
    case 'TPM_MISSING':
      return 'unattested';
    case 'INSTALL_FAILED':
      return 'update-failed';
    default:
      return BY_STATUS[FAILURES[failure.code].status];
  }
}

/** The exit of a question after the state of a node. */
export const EXIT_OF_STATE = {
  healthy: 'done',
  unhealthy: 'unhealthy',
  trial: 'under-way',
  updating: 'under-way',
  unknown: 'unknown',
} as const satisfies Record<State, ExitName>;
