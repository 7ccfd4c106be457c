// SPDX-License-Identifier: Apache-2.0
import { Failure, type FailureCode } from '../../../shared/failure.ts';
import type { Clock } from '../../timing/clock.ts';

/** A neighbour that is away, which may be back in a moment; every other failure is an answer. */
const AWAY: ReadonlySet<FailureCode> = new Set(['BUS_UNAVAILABLE', 'RAUC_UNAVAILABLE']);

const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/** Does it again while the bus or RAUC is being restarted, for a minute at most: neither says anything about a slot. */
export async function patiently<T>(clock: Clock, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Failure) || !AWAY.has(error.code) || clock.monotonicMs() >= endMs) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}
