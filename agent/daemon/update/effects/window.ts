// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { nextOccurrence, parseWindow } from '../../../shared/maintenance-window.ts';
import type { Clock } from '../../timing/clock.ts';
import type { ClockSynchronised } from '../ports.ts';

interface Ports {
  readonly clock: Clock;
  readonly clockSynchronised: ClockSynchronised;
  /** A node without a network keeps its own time: after this long what its clock says has to do. */
  readonly clockPatienceMs: number;
}

/** The clock may be set meanwhile, so it is looked at again after this long. */
const LOOK_AGAIN_MS = 30_000;

/**
 * Resolves when the window is open, by a clock that was synchronised, or that nobody synchronised in all its patience. Tells
 * whenever the moment becomes known, or changes.
 */
export async function awaitWindow(text: string, ports: Ports, onPlan: (opensAtMs: number) => void, signal: AbortSignal): Promise<void> {
  const window = parseWindow(text);
  if (!window) throw new Failure('INVALID_REQUEST', `Cannot wait for the window "${text}": it is none`, { field: 'window' });
  await clockToRelyOn(ports, signal);
  let told: number | undefined;
  for (;;) {
    const nowMs = ports.clock.now().getTime();
    const { startMs } = nextOccurrence(window, nowMs);
    if (startMs <= nowMs) return;
    if (startMs !== told) onPlan(startMs);
    told = startMs;
    await ports.clock.sleep(Math.min(startMs - nowMs, LOOK_AGAIN_MS), signal);
  }
}

async function clockToRelyOn({ clock, clockSynchronised, clockPatienceMs }: Ports, signal: AbortSignal): Promise<void> {
  const endMs = clock.monotonicMs() + clockPatienceMs;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0 || (await clockSynchronised(signal))) return;
    await clock.sleep(Math.min(leftMs, LOOK_AGAIN_MS), signal);
  }
}
