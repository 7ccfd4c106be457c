// SPDX-License-Identifier: Apache-2.0

import type { FailureCode } from '../../../shared/failure.ts';
import type { Verdict } from '../../attest/verdict.ts';
import { type ExitName, exitOfFailure } from '../../exit-code.ts';
import type { Attestation } from '../../trust/attest-node.ts';

export const EXIT_OF_VERDICT = {
  TRUSTED: 'done',
  'TRUSTED (first use)': 'first-use',
  REJECTED: 'rejected',
  UNATTESTED: 'unattested',
  UNKNOWN: 'unknown',
} as const satisfies Record<Verdict['verdict'], ExitName>;

/** Failures that say more than that a node is unknown: lamactl itself has to be seen to. */
const OWN_FAULTS: ReadonlySet<FailureCode> = new Set([
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'NODE_UNTRUSTED',
  'CONFIG_INVALID',
  'INTERNAL',
]);

export function exitOfAttestation({ verdict, failure }: Pick<Attestation, 'verdict' | 'failure'>): ExitName {
  return failure && OWN_FAULTS.has(failure.code) ? exitOfFailure(failure) : EXIT_OF_VERDICT[verdict.verdict];
}

/** The exits of every command that judges nodes. */
export const ATTEST_EXITS = ['done', 'first-use', 'rejected', 'unattested'] as const satisfies readonly ExitName[];
