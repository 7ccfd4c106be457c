// SPDX-License-Identifier: Apache-2.0

/** Refused calls of one caller that are written down in a window; the others are counted. */
interface Share {
  readonly written: number;
  readonly windowMs: number;
}

const USUAL: Share = { written: 10, windowMs: 60_000 };
/** Callers that are remembered at a time; each holds a certificate of this node's authority, or all that have none are one. */
const MAX_CALLERS = 1_000;

interface Window {
  readonly startMs: number;
  written: number;
  leftOut: number;
}

/**
 * Keeps a caller who may change nothing from filling the data file system with refusals: of each caller so many in a window are
 * written down, and the first one of a later window says how many were not.
 */
export class RefusalBudget {
  readonly #nowMs: () => number;
  readonly #share: Share;
  readonly #windows = new Map<string, Window>();

  /** `nowMs` only ever grows. */
  constructor(nowMs: () => number, share = USUAL) {
    this.#nowMs = nowMs;
    this.#share = share;
  }

  /** How many refusals were left out before this one, which is to be written down; undefined when this one is left out, too. */
  take(caller: string): number | undefined {
    const nowMs = this.#nowMs();
    const known = this.#windows.get(caller);
    if (known && nowMs - known.startMs < this.#share.windowMs) {
      if (known.written < this.#share.written) {
        known.written += 1;
        return 0;
      }
      known.leftOut += 1;
      return undefined;
    }
    if (!known && this.#windows.size >= MAX_CALLERS) this.#windows.clear();
    this.#windows.set(caller, { startMs: nowMs, written: 1, leftOut: 0 });
    return known?.leftOut ?? 0;
  }
}
