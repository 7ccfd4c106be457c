// SPDX-License-Identifier: Apache-2.0

export interface WaitLimits {
  /** How many may wait at a time. One more, and who waits the longest is given up: it is the least likely to come. */
  readonly count: number;
  /** How long each may wait. */
  readonly durationMs: number;
}

interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly giveUp: () => void;
}

/** Those who keep the agent waiting, for a bounded time and in a bounded number: each costs memory meanwhile. */
export class BoundedWait<Key> {
  readonly #limits: WaitLimits;
  /** In the order in which they began to wait. */
  readonly #waiting = new Map<Key, Waiting>();

  constructor(limits: WaitLimits) {
    this.#limits = limits;
  }

  /** `giveUp` is called once, unless the wait ends before. */
  begin(key: Key, giveUp: () => void): void {
    this.end(key);
    const [longest] = this.#waiting.keys();
    if (longest !== undefined && this.#waiting.size >= this.#limits.count) this.#drop(longest);
    const timer = setTimeout(() => this.#drop(key), this.#limits.durationMs);
    this.#waiting.set(key, { timer: timer.unref(), giveUp });
  }

  end(key: Key): void {
    clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.delete(key);
  }

  #drop(key: Key): void {
    const waiting = this.#waiting.get(key);
    this.end(key);
    waiting?.giveUp();
  }
}
