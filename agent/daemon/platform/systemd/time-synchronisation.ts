// SPDX-License-Identifier: Apache-2.0
import type { ClockSynchronised } from '../../update/ports.ts';
import { ANSWER_TIMEOUT_MS, type Ask, asked } from './units.ts';

const TIMEDATE = {
  destination: 'org.freedesktop.timedate1',
  path: '/org/freedesktop/timedate1',
  interface: 'org.freedesktop.timedate1',
} as const;

/** Whether the kernel holds the clock for synchronised, whoever it was that set it (org.freedesktop.timedate1(5)). */
export async function askSynchronised(bus: Ask, signal: AbortSignal): Promise<boolean> {
  const options = { timeoutMs: ANSWER_TIMEOUT_MS, signal };
  const { NTPSynchronized } = await asked('ask whether the clock is synchronised', () => bus.getProperties(TIMEDATE, options));
  return NTPSynchronized === true;
}

/** The same for an update, to which a node that cannot tell is one that is not synchronised. */
export const clockSynchronised =
  (bus: Ask): ClockSynchronised =>
  (signal) =>
    askSynchronised(bus, signal).catch(() => {
      signal.throwIfAborted();
      return false;
    });
