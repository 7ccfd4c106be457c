// SPDX-License-Identifier: Apache-2.0
import { setTimeout as timer } from 'node:timers/promises';

/** Time, as the daemon sees it: the only source of it below main.ts. */
export interface Clock {
  /** The time of day, for people; it jumps when it is set. */
  now(): Date;
  /** Milliseconds since some moment in the past; it only ever grows, so durations and deadlines count on it. */
  monotonicMs(): number;
  /** Ends after this many milliseconds, never before; rejects with the signal's reason when that comes first. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  async sleep(durationMs, signal) {
    const endMs = performance.now() + durationMs;
    // A timer of Node may fire up to a millisecond early, and one longer than 2^31 ms fires at once.
    for (let leftMs = durationMs; leftMs > 0; leftMs = endMs - performance.now()) await nap(leftMs, signal);
    signal.throwIfAborted();
  },
};

const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function nap(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await timer(Math.min(Math.ceil(durationMs), LONGEST_TIMER_MS), undefined, {
      signal,
    });
  } catch (thrown) {
    // Node wraps the reason in an AbortError of its own.
    signal.throwIfAborted();
    throw thrown;
  }
}
