// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** What the very first line of an audit log follows. */
export const CHAIN_START = '0'.repeat(64);

/** The hash by which the next line names this one. */
export const lineHash = (line: string): string => createHash('sha256').update(line).digest('hex');

/** By what an entry says that it follows from what is before it. */
export interface ChainLink {
  /** The hash of the line before it; or, where lines were cut off before it, of these, with line feeds between them. */
  readonly previous: string;
  /** The hash of the last whole entry, where lines were cut off after it. */
  readonly lastWhole?: string;
}

interface ChainBreak {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

/** What the lines of an audit log prove together. */
export interface AuditChain {
  /** Whole entries. */
  readonly lines: number;
  /** Lines that a power cut or a full disk cut off, and that the entry after them names. */
  readonly cutOff: number;
  /** What the first entry says that it follows: CHAIN_START, or the hash of a line that is no longer kept. */
  readonly follows: string;
  /** The hash of the last entry. Kept elsewhere, it shows later whether lines were taken away at the end. */
  readonly head: string;
  /** The first places where a line does not follow from the one before it; and how many there are of them. */
  readonly breaks: readonly ChainBreak[];
  readonly breakCount: number;
}

const MAX_BREAKS = 10;

/** Checks the chain line by line; `seen` is told the hash of each entry. Blank lines say nothing, and are counted. */
export async function checkAuditChain(
  lines: AsyncIterable<string> | Iterable<string>,
  seen: (hash: string) => void = () => {},
): Promise<AuditChain> {
  const check = new ChainCheck(seen);
  for await (const line of lines) check.take(line);
  return check.end();
}

class ChainCheck {
  readonly #seen: (hash: string) => void;
  #number = 0;
  #entries = 0;
  #cutOff = 0;
  #follows: string | undefined;
  #head = CHAIN_START;
  readonly #breaks: ChainBreak[] = [];
  #breakCount = 0;
  /** The lines since the last entry that are none. */
  #others = noLines();

  constructor(seen: (hash: string) => void) {
    this.#seen = seen;
  }

  take(line: string): void {
    this.#number += 1;
    if (line === '') return;
    const link = chainLinkOf(line);
    if (link) this.#takeEntry(line, link);
    else this.#takeOther(line);
  }

  #takeEntry(line: string, link: ChainLink): void {
    if (this.#others.count > 0) this.#settleOthers(link);
    else this.#follow(link.previous, this.#number);
    this.#head = lineHash(line);
    this.#seen(this.#head);
    this.#entries += 1;
  }

  #takeOther(line: string): void {
    const others = this.#others;
    if (others.count === 0) others.first = this.#number;
    others.hash.update(others.count === 0 ? line : `\n${line}`);
    others.count += 1;
  }

  /** What is no entry was cut off if the next entry says so, and it is something else if not. */
  #settleOthers({ previous, lastWhole }: ChainLink): void {
    const { hash, first, count } = this.#others;
    this.#others = noLines();
    if (lastWhole === undefined || hash.digest('hex') !== previous) {
      this.#follows ??= '';
      this.#break(first, 'it is no entry of an audit log');
      return;
    }
    this.#cutOff += count;
    this.#follow(lastWhole, first);
  }

  #follow(hash: string, line: number): void {
    if (this.#follows === undefined) this.#follows = hash;
    else if (hash !== this.#head) this.#break(line, 'the line before it was changed, or taken out');
  }

  #break(line: number, why: string): void {
    if (this.#breakCount < MAX_BREAKS) this.#breaks.push({ line, why });
    this.#breakCount += 1;
  }

  end(): AuditChain {
    return {
      lines: this.#entries,
      // What is cut off at the very end is not named yet; it says no more than that there may have been another line.
      cutOff: this.#cutOff + this.#others.count,
      follows: this.#follows ?? CHAIN_START,
      head: this.#head,
      breaks: this.#breaks,
      breakCount: this.#breakCount,
    };
  }
}

const noLines = () => ({ count: 0, first: 0, hash: createHash('sha256') });

/** What a line says that it follows, if it is an entry. */
export function chainLinkOf(line: string): ChainLink | undefined {
  try {
    const { previous, lastWhole } = JSON.parse(line) as { readonly previous?: unknown; readonly lastWhole?: unknown };
    if (!isHash(previous)) return undefined;
    return isHash(lastWhole) ? { previous, lastWhole } : { previous };
  } catch {
    return undefined;
  }
}

const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
