// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../agent/daemon/timing/clock.ts';

/** Enough turns of the event loop for what was woken to get as far as its next sleep. */
const TURNS_TO_SETTLE = 20;

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #elapsedMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(readonly epoch: Date = new Date('2026-01-01T00:00:00Z')) {}

  now(): Date {
    return new Date(this.epoch.getTime() + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const end = (finish: () => void) => () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener('abort', abort);
        finish();
      };
      const abort = end(() => reject(signal.reason));
      const sleeper: Sleeper = {
        wakeAtMs: this.#elapsedMs + durationMs,
        wake: end(resolve),
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** How many sleeps have not ended: zero when nothing was left behind. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Moves time forward, stopping at each sleep that ends on the way so that what it wakes runs at its own moment. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#elapsedMs + durationMs;
    await settle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#elapsedMs = next.wakeAtMs;
      next.wake();
      await settle();
    }
    this.#elapsedMs = endMs;
  }

  #next(untilMs: number): Sleeper | undefined {
    const [first] = [...this.#sleepers].sort((a, b) => a.wakeAtMs - b.wakeAtMs);
    return first && first.wakeAtMs <= untilMs ? first : undefined;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < TURNS_TO_SETTLE; i += 1) await turn();
}
