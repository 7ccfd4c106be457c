// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** What the very first line of an audit log follows. */
export const CHAIN_START = '0'.repeat(64);

/** The hash by which the next line names this one. */
export const lineHash = (line: string): string => createHash('sha256').update(line).digest('hex');

/** What the lines of an audit log prove together. */
export interface AuditChain {
  readonly lines: number;
  /** What the first line says that it follows: CHAIN_START, or the hash of a line that is no longer kept. */
  readonly follows: string;
  /** The hash of the last line. Kept elsewhere, it shows later whether lines were taken away at the end. */
  readonly head: string;
  /** The number of the first line (from 1) that does not follow from the one before it, and why. */
  readonly broken?: { readonly line: number; readonly why: string };
}

/** Checks the chain line by line; `seen` is told the hash of each. Blank lines say nothing, and are counted. */
export async function checkAuditChain(
  lines: AsyncIterable<string> | Iterable<string>,
  seen: (hash: string) => void = () => {},
): Promise<AuditChain> {
  let number = 0;
  let follows: string | undefined;
  let head = CHAIN_START;
  let broken: AuditChain['broken'];
  let count = 0;
  for await (const line of lines) {
    number += 1;
    if (line === '') continue;
    const previous = previousOf(line);
    follows ??= previous ?? '';
    if (!broken && previous === undefined) broken = { line: number, why: 'it is no entry of an audit log' };
    else if (!broken && count > 0 && previous !== head) broken = { line: number, why: 'the line before it was changed, or taken out' };
    head = lineHash(line);
    seen(head);
    count += 1;
  }
  return { lines: count, follows: follows ?? CHAIN_START, head, ...(broken && { broken }) };
}

function previousOf(line: string): string | undefined {
  try {
    const { previous } = JSON.parse(line) as { previous?: unknown };
    return typeof previous === 'string' && /^[0-9a-f]{64}$/.test(previous) ? previous : undefined;
  } catch {
    return undefined;
  }
}
