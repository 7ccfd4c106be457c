// SPDX-License-Identifier: Apache-2.0
import { type AuditChain, CHAIN_START, checkAuditChain } from '../../shared/audit-chain.ts';
import type { AuditHeads } from './audit-heads.ts';

/** What an audit log proves, and whether it still holds what was seen of it before. */
export interface CheckedLog extends AuditChain {
  /** Whether the line of the head that was given is there; true when none was. */
  readonly holdsHead: boolean;
  /** The same of the head that lamactl remembers. */
  readonly holdsKnown: boolean;
  /** When lamactl saw that, RFC 3339; undefined when it never saw this log. */
  readonly knownSince?: string;
}

export const isSound = ({ breakCount, holdsHead, holdsKnown }: CheckedLog): boolean => breakCount === 0 && holdsHead && holdsKnown;

interface Known {
  readonly heads: AuditHeads;
  readonly node: string;
  readonly nowMs: number;
  /** Whether to go on from this log, though it does not hold what was seen before. */
  readonly acceptNew: boolean;
}

/** Checks the log of a node against what lamactl remembers of it, and remembers how far it goes now where it is sound. */
export async function checkNodeLog(
  lines: AsyncIterable<string>,
  { heads, node, nowMs, acceptNew }: Known,
  head?: string,
): Promise<CheckedLog> {
  const known = acceptNew ? undefined : await heads.of(node);
  const { chain, holds } = await check(lines, [head, known?.head]);
  const [holdsHead = true, holdsKnown = true] = holds;
  const checked = { ...chain, holdsHead, holdsKnown, ...(known && { knownSince: known.seen_at }) };
  if (isSound(checked) && chain.lines > 0) await heads.keep(node, chain.head, nowMs);
  return checked;
}

/** Checks copies of a log, of which lamactl remembers nothing. */
export async function checkCopies(lines: Iterable<string>, head?: string): Promise<CheckedLog> {
  const { chain, holds } = await check(lines, [head]);
  return { ...chain, holdsHead: holds[0] ?? true, holdsKnown: true };
}

async function check(lines: AsyncIterable<string> | Iterable<string>, heads: readonly (string | undefined)[]) {
  const seen = new Set<string>([CHAIN_START]);
  const wanted = new Set(heads);
  const chain = await checkAuditChain(lines, (hash) => {
    if (wanted.has(hash)) seen.add(hash);
  });
  // What follows the head itself proves that the head's line was there.
  seen.add(chain.follows);
  return { chain, holds: heads.map((head) => head === undefined || seen.has(head)) };
}
