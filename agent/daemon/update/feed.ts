// SPDX-License-Identifier: Apache-2.0
import { Bell } from '../timing/bell.ts';

export interface Published<T> {
  /** Opaque; names this value among all that this run of the agent published. */
  readonly cursor: string;
  readonly value: T;
}

/**
 * The one way out: the latest state, and a word whenever it changes. Each value is a whole snapshot, so a reader that is
 * slow, or was away, gets the newest one and has missed nothing that the snapshot does not tell.
 */
export class Feed<T> {
  readonly #run: string;
  #count = 0;
  #value: T;
  readonly #changed = new Bell();

  /** `run` tells this run of the agent from every other, so that a cursor from before a restart is never taken for a newer one. */
  constructor(run: string, value: T) {
    this.#run = run;
    this.#value = value;
  }

  get latest(): Published<T> {
    return { cursor: `${this.#run}.${this.#count}`, value: this.#value };
  }

  publish(value: T): void {
    this.#value = value;
    this.#count += 1;
    this.#changed.ring();
  }

  /** The latest value unless `after` names it already, then each newer one, until the signal ends it. */
  async *follow(after: string, signal: AbortSignal): AsyncGenerator<Published<T>> {
    let seen = after;
    while (!signal.aborted) {
      const { latest } = this;
      if (latest.cursor !== seen) {
        seen = latest.cursor;
        yield latest;
      } else {
        await this.#changed.next(signal);
      }
    }
  }
}
