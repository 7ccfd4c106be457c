// SPDX-License-Identifier: Apache-2.0
import { abortable } from '../timing/abortable.ts';

/** A bounded number of turns, given in the order in which they were asked for. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Does the work when its turn has come; rejects with the signal's reason when that comes before the turn does. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = withResolvers();
    this.#waiting.push(resolve);
    try {
      await abortable(promise, signal);
    } catch (reason) {
      const index = this.#waiting.indexOf(resolve);
      // Not among the waiting any more: the turn came in the same moment, and somebody else must have it.
      if (index < 0) this.#pass();
      else this.#waiting.splice(index, 1);
      throw reason;
    }
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
