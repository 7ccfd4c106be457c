// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 50;

/** Asks again and again, with a pause before each further time, until the answer is something, and returns it. Throws at the deadline: `what` was waited for. */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>, pauseMs = PAUSE_MS): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadlineMs) throw new Error(`Cannot wait any longer for ${what}: ${timeoutMs} ms have passed`);
    await sleep(pauseMs);
  }
}
