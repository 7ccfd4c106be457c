// SPDX-License-Identifier: Apache-2.0
import type { Target } from '../node/node.ts';
import type { World } from '../world.ts';

const CLEAR_LINE = '\r\x1b[2K';
const REDRAW_EVERY_MS = 200;
/** So many that are waited for are named. */
const MOST_NAMED = 3;

/** On a terminal, while many nodes are asked: how many have answered, and at last whom one waits for; gone when it is closed. */
export class PollProgress {
  readonly #stderr: World['stderr'];
  readonly #waiting: Map<string, Target>;
  readonly #total: number;
  readonly #stop: () => void;
  #drawn = false;

  constructor({ stderr, clock }: Pick<World, 'stderr' | 'clock'>, targets: readonly Target[]) {
    this.#stderr = stderr;
    this.#total = targets.length;
    this.#waiting = new Map(targets.map((target) => [target.name, target]));
    this.#stop = stderr.isTerminal && targets.length > 1 ? clock.every(REDRAW_EVERY_MS, () => this.#draw()) : () => {};
  }

  answered({ name }: Target): void {
    this.#waiting.delete(name);
  }

  close(): void {
    this.#stop();
    if (this.#drawn) this.#stderr.write(CLEAR_LINE);
  }

  #draw(): void {
    const left = this.#waiting.size;
    const whom = left > 0 && left <= MOST_NAMED ? `, ${[...this.#waiting.keys()].join(', ')} not yet` : '';
    this.#drawn = true;
    this.#stderr.write(`${CLEAR_LINE}${this.#total - left} of ${this.#total} nodes have answered${whom}`.slice(0, this.#stderr.columns));
  }
}
