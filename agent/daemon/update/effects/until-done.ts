// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import type { Clock } from '../../timing/clock.ts';

const RETRY_MS = 60_000;

/** Tries every minute until an attempt says that it is done, or the signal ends it. What goes wrong is logged under `failed`. */
export async function untilDone(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  failed: string,
  signal: AbortSignal,
  attempt: () => Promise<boolean>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error }, failed);
    }
    await clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}
