// SPDX-License-Identifier: Apache-2.0
import { getSystemErrorMap } from 'node:util';

/** What went wrong, in the words of the system where it was the system that refused: "connection refused". */
export function errorReason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  // Several addresses that all refuse come as an AggregateError, which has a code but no message.
  const known = [...getSystemErrorMap().values()].find(([name]) => name === code);
  return known?.[1] ?? (thrown.message || code || thrown.name);
}
