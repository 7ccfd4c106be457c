// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../world.ts';

/** Whoever looks again and again lets no more time pass between two looks, but for a machine that sleeps. */
export const LEAP_MS = 60_000;

/** How long something may still take; while this machine sleeps nothing of it is used up. */
export class Patience {
  readonly #clock: Pick<Clock, 'now'>;
  #leftMs: number;
  #lookedMs: number;

  constructor(clock: Pick<Clock, 'now'>, ms: number) {
    this.#clock = clock;
    this.#leftMs = ms;
    this.#lookedMs = clock.now();
  }

  /** Whether something is left of it; to be asked between any two tries. */
  isLeft(): boolean {
    const nowMs = this.#clock.now();
    this.#leftMs -= Math.min(Math.max(nowMs - this.#lookedMs, 0), LEAP_MS);
    this.#lookedMs = nowMs;
    return this.#leftMs > 0;
  }
}
