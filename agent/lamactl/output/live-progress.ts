// SPDX-License-Identifier: Apache-2.0
import type { FollowEvent } from '../fleet/follow.ts';
import type { Update } from '../node/node-update.ts';
import type { World } from '../world.ts';
import type { Paint } from './colour.ts';
import type { ProgressView } from './progress.ts';
import { type NodeProgress, nodeProgress, progressLine } from './progress-line.ts';

const CURSOR_UP = (lines: number) => `\x1b[${lines}A`;
const CLEAR_LINE = '\x1b[2K';
/** The clock of a line ticks even while its node is silent. */
const REDRAW_EVERY_MS = 1000;

interface Line {
  readonly progress: NodeProgress;
  readonly update?: Update;
  /** When the node came to its end; its clock stops there. */
  readonly endedMs?: number;
}

/** For a terminal: one line for each node, redrawn in place. */
export class LiveProgress implements ProgressView {
  readonly #world: Pick<World, 'stdout' | 'clock'>;
  readonly #paint: Paint;
  readonly #startedMs: number;
  readonly #nameWidth: number;
  readonly #lines: Map<string, Line>;
  readonly #stopTicking: () => void;

  constructor(world: Pick<World, 'stdout' | 'clock'>, paint: Paint, nodes: readonly string[]) {
    this.#world = world;
    this.#paint = paint;
    this.#startedMs = world.clock.now();
    this.#nameWidth = Math.max(...nodes.map((name) => name.length));
    this.#lines = new Map(nodes.map((name) => [name, { progress: { name, label: 'asking', style: 'faint', detail: '' } }]));
    this.#stopTicking = world.clock.every(REDRAW_EVERY_MS, () => this.#redraw());
    world.stdout.write(this.#text());
  }

  started(node: string, operationId: string): void {
    this.#lines.set(node, { progress: { name: node, label: 'started', style: 'heading', detail: `update ${operationId}` } });
    this.#redraw();
  }

  event(node: string, event: FollowEvent): void {
    const before = this.#lines.get(node)?.update;
    const update = event.type === 'progress' || event.type === 'result' ? event.update : before;
    const ended = event.type !== 'progress' && event.type !== 'unreachable';
    this.#lines.set(node, {
      progress: nodeProgress(node, event, before),
      ...(update ? { update } : {}),
      ...(ended ? { endedMs: this.#world.clock.now() } : {}),
    });
    this.#redraw();
  }

  async close(): Promise<void> {
    this.#stopTicking();
    this.#redraw();
  }

  #redraw(): void {
    this.#world.stdout.write(CURSOR_UP(this.#lines.size) + this.#text());
  }

  #text(): string {
    const { stdout, clock } = this.#world;
    const nowMs = clock.now();
    return [...this.#lines.values()]
      .map(({ progress, endedMs }) => {
        const elapsedMs = (endedMs ?? nowMs) - this.#startedMs;
        return `${CLEAR_LINE}${progressLine(this.#paint, progress, elapsedMs, this.#nameWidth, stdout.columns)}\n`;
      })
      .join('');
  }
}
