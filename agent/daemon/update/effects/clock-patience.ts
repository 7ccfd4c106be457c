// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Clock } from '../../timing/clock.ts';
import type { ClockSynchronised } from '../ports.ts';

interface Ports {
  readonly clock: Clock;
  readonly clockSynchronised: ClockSynchronised;
  readonly clockPatienceMs: number;
}

const PAUSE_MS = 5_000;

/**
 * Does it again while a certificate is not valid yet and the clock is not synchronised, within its patience: a node
 * without a battery boots in the past. With a synchronised clock, "not yet valid" is an answer.
 */
export async function untilClockIsSet<T>(
  { clock, clockSynchronised, clockPatienceMs }: Ports,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  const endMs = clock.monotonicMs() + clockPatienceMs;
  for (;;) {
    // Asked before: a clock that is set during the action gives it another chance.
    const synchronised = await clockSynchronised(signal);
    try {
      return await action();
    } catch (error) {
      const early = error instanceof Failure && error.code === 'CERTIFICATE_NOT_YET_VALID';
      if (!early || synchronised || clock.monotonicMs() >= endMs) throw error;
      await clock.sleep(PAUSE_MS, signal);
    }
  }
}
