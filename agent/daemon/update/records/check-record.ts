// SPDX-License-Identifier: Apache-2.0
import type { CheckResult } from '../../health/check.ts';
import type { CheckRecord } from '../life/state.ts';

/** A result of the health checks as an update keeps it, with its moment as a number. */
export function checkRecord({ at, ...result }: CheckResult): CheckRecord {
  return { ...result, atMs: at.getTime() };
}
