// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../clock.ts';

/**
 * Lets pieces through at no more than so many bytes a second, over any stretch of time from the first piece on. A piece is
 * delayed, never cut, so the last one may be early by its own length.
 */
export async function* limitRate(
  pieces: AsyncIterable<Buffer>,
  bytesPerSecond: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const startMs = clock.monotonicMs();
  let passed = 0;
  for await (const piece of pieces) {
    yield piece;
    passed += piece.length;
    const dueMs = startMs + (passed / bytesPerSecond) * 1000;
    const earlyMs = dueMs - clock.monotonicMs();
    if (earlyMs > 0) await clock.sleep(earlyMs, signal);
  }
}
