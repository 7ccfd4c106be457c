// SPDX-License-Identifier: Apache-2.0

import { oneLine } from '../../shared/printable.ts';
import type { Update } from '../node/node-update.ts';
import type { Plan } from '../rollout/plan.ts';
import { type RolloutState, summaryOf } from '../rollout/state.ts';
import type { World } from '../world.ts';
import type { Paint } from './colour.ts';
import { type Format, renderEvent } from './document.ts';
import { rolloutDocument, stepCell } from './rollout-text.ts';
import { stopwatch } from './time.ts';

interface View {
  readonly world: Pick<World, 'stdout' | 'stderr' | 'clock'>;
  readonly format: Format;
  readonly paint: Paint;
}

/** Of a larger fleet the phases of each update would hide what matters. */
const MOST_WITH_PHASES = 64;

/** Shows a rollout as it goes on: a line, or a document, for each change. */
export class RolloutProgress {
  readonly #view: View;
  readonly #plan: Plan;
  readonly #startedMs: number;
  readonly #phases = new Map<number, string>();
  #written: Promise<void> = Promise.resolve();

  constructor(view: View, plan: Plan) {
    this.#view = view;
    this.#plan = plan;
    this.#startedMs = view.world.clock.now();
  }

  began(state: RolloutState): void {
    this.#tell({ type: 'rollout', rollout: this.#plan.id, phase: state.phase }, `rollout ${this.#plan.id}: ${summaryOf(state)}`);
  }

  changed(before: RolloutState, after: RolloutState): void {
    for (const [index, { step, why }] of after.nodes.entries()) {
      const was = before.nodes[index]!;
      if (was.step === step && (was.why === why || why === '')) continue;
      const node = this.#name(index);
      const wave = this.#plan.nodes[index]!.wave + 1;
      const cell = stepCell(step);
      const label = typeof cell === 'string' ? cell : this.#view.paint(cell.style, cell.text);
      this.#tell({ node, type: 'step', step, wave, why }, `${node}: ${label}${why === '' ? '' : `: ${oneLine(why)}`}`);
    }
    if (before.phase === after.phase && before.wave === after.wave) return;
    const { phase, why, wave } = after;
    const where = phase === 'running' ? `wave ${Math.min(wave + 1, this.#plan.waves)} of ${this.#plan.waves}` : phase;
    this.#tell(
      { type: 'rollout', rollout: this.#plan.id, phase, wave: wave + 1, why },
      `rollout: ${where}${why === '' ? '' : `: ${oneLine(why)}`}`,
    );
  }

  update(index: number, { phase, reason }: Update): void {
    if (this.#plan.nodes.length > MOST_WITH_PHASES || this.#phases.get(index) === phase) return;
    this.#phases.set(index, phase);
    const node = this.#name(index);
    this.#tell({ node, type: 'phase', phase }, `${node}: ${phase}${reason ? `: ${oneLine(reason.message)}` : ''}`);
  }

  /** `left`: lamactl ends before the rollout does. */
  async ended(state: RolloutState, { left }: { readonly left: boolean }): Promise<void> {
    const { id } = this.#plan;
    this.#tell(
      { type: 'end', ...rolloutDocument({ state, holder: '' }) },
      `rollout ${id}: ${summaryOf(state)}${state.why ? `: ${oneLine(state.why)}` : ''}`,
    );
    await this.#written;
    const { stderr } = this.#view.world;
    if (left) stderr.write(`${this.#whatGoesOn()} To go on with the rollout: lamactl rollout resume ${id}\n`);
    else if (state.phase === 'halted')
      stderr.write(`The rollout stopped. To go on, give it up, or go back: lamactl rollout resume|abort|undo ${id}\n`);
    else if (state.phase === 'paused') stderr.write(`To go on: lamactl rollout resume ${id}\n`);
  }

  /** Nodes that take no work of their cluster until somebody goes on with the rollout. */
  stillCordoned(names: readonly string[]): void {
    this.#tellCordoned('Still cordoned', names);
  }

  /** Nodes of which only the cluster knows. */
  perhapsCordoned(names: readonly string[]): void {
    this.#tellCordoned('Cordoned still, where they were drained', names);
  }

  #tellCordoned(what: string, names: readonly string[]): void {
    if (names.length === 0) return;
    const remedy = `Whoever goes on with the rollout uncordons them ("lamactl rollout resume ${this.#plan.id}"), or kubectl.`;
    this.#view.world.stderr.write(`${what}: ${names.join(', ')}. ${remedy}\n`);
  }

  #whatGoesOn(): string {
    const goesOn = 'Updates that were begun go on by themselves';
    return this.#plan.options.gates.includes('k3s') ? `${goesOn}; nodes of a cluster wait to be drained before they reboot.` : `${goesOn}.`;
  }

  #name(index: number): string {
    return this.#plan.nodes[index]?.name ?? '';
  }

  #tell(document: object, line: string): void {
    const { world, format } = this.#view;
    if (format === 'table') {
      world.stdout.write(`${stopwatch(world.clock.now() - this.#startedMs).padStart(7)}  ${line}\n`);
      return;
    }
    this.#written = this.#written.then(async () => world.stdout.write(await renderEvent(format, document)));
  }
}
