// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../timing/clock.ts';

/** Passes pieces on, later than they came where need be. */
export type Throttle = (pieces: AsyncIterable<Buffer>, signal: AbortSignal) => AsyncIterable<Buffer>;

/**
 * Lets pieces through at no more than so many bytes a second (0: at any rate), counted over all that goes through it at the
 * same time. What was not used is not saved up: after a pause the rate is no higher. A piece is delayed, never cut.
 */
export function limitRate(bytesPerSecond: number, clock: Clock): Throttle {
  if (bytesPerSecond === 0) return (pieces) => pieces;
  let freeAtMs = 0;
  return async function* (pieces, signal) {
    for await (const piece of pieces) {
      yield piece;
      const nowMs = clock.monotonicMs();
      freeAtMs = Math.max(freeAtMs, nowMs) + (piece.length / bytesPerSecond) * 1000;
      await clock.sleep(freeAtMs - nowMs, signal);
    }
  };
}
