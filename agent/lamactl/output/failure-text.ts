// SPDX-License-Identifier: Apache-2.0
import type { Failure } from '../../shared/failure.ts';
import { printable } from '../../shared/printable.ts';

/** A failure for a person: who has it, the sentence, and what to do. */
export function failureText(who: string, failure: Failure): string {
  return `${who}: ${printable(failure.message)}\n${' '.repeat(who.length + 2)}${failure.remedy} (${failure.code})\n`;
}
