// SPDX-License-Identifier: Apache-2.0
import { abortScope } from './abort-scope.ts';
import type { Clock } from './clock.ts';

/**
 * Gives work so many milliseconds and then answers in its place. The work's signal is aborted when the time is over; work that
 * does not heed it is left behind. Rejects with the outer signal's reason when that is aborted first.
 */
export function within<T>(
  clock: Clock,
  durationMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  whenLate: () => T,
): Promise<T> {
  // The sleep also ends the race when the outer signal is aborted.
  return abortScope(signal, ({ signal: inner }) => Promise.race([work(inner), clock.sleep(durationMs, inner).then(whenLate)]));
}
