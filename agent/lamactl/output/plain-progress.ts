// SPDX-License-Identifier: Apache-2.0

import { oneLine } from '../../shared/printable.ts';
import type { FollowEvent } from '../fleet/follow.ts';
import type { Update } from '../node/node-update.ts';
import type { World } from '../world.ts';
import type { ProgressView } from './progress.ts';
import { type NodeProgress, nodeProgress } from './progress-line.ts';
import { stopwatch } from './time.ts';

/** For a file or a pipe: a line when a node's phase changes, or when it comes or goes. */
export class PlainProgress implements ProgressView {
  readonly #world: Pick<World, 'stdout' | 'clock'>;
  readonly #startedMs: number;
  readonly #labels = new Map<string, string>();
  readonly #updates = new Map<string, Update>();

  constructor(world: Pick<World, 'stdout' | 'clock'>) {
    this.#world = world;
    this.#startedMs = world.clock.now();
  }

  started(node: string, operationId: string): void {
    this.#line({ name: node, label: 'started', style: 'heading', detail: `update ${operationId}` });
  }

  event(node: string, event: FollowEvent): void {
    const progress = nodeProgress(node, event, this.#updates.get(node));
    if (event.type === 'progress' || event.type === 'result') this.#updates.set(node, event.update);
    if (this.#labels.get(node) === progress.label && event.type !== 'left') return;
    this.#labels.set(node, progress.label);
    this.#line(progress);
  }

  async close(): Promise<void> {}

  #line({ name, label, detail }: NodeProgress): void {
    const time = stopwatch(this.#world.clock.now() - this.#startedMs);
    this.#world.stdout.write(`${name}: ${label} after ${time}${detail === '' ? '' : `: ${oneLine(detail)}`}\n`);
  }
}
