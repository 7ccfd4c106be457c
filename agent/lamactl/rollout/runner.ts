// SPDX-License-Identifier: Apache-2.0
import type { RolloutClaim } from '../node/node-rollout.ts';
import type { Clock } from '../world.ts';
import type { RolloutEffect, RolloutEvent } from './event.ts';
import type { RolloutJournal } from './journal.ts';
import type { NodeWork } from './node-work.ts';
import { packPlan, packProgress } from './record.ts';
import { hasEnded, isAtRest, type RolloutState, summaryOf } from './state.ts';
import { transition } from './transition.ts';
import type { Witnesses } from './witnesses.ts';

export interface RunnerParts {
  readonly claim: RolloutClaim;
  readonly journal: Pick<RolloutJournal, 'write'>;
  readonly witnesses: Pick<Witnesses, 'put'>;
  readonly work: Pick<NodeWork, 'carryOut'>;
  readonly clock: Clock;
  readonly onChange: (before: RolloutState, after: RolloutState) => void;
}

/** Nodes that were away are asked again, and soaks end, at this pace. */
const TICK_MS = 10_000;

type NewEvent = RolloutEvent extends infer Event ? (Event extends RolloutEvent ? Omit<Event, 'atMs'> : never) : never;

/**
 * Runs a rollout: takes what happened, writes down what follows from it, on this machine and then on a majority of the
 * witnesses, and only then does it. What happens meanwhile is taken together the next time.
 */
export class Runner {
  readonly #parts: RunnerParts;
  #state: RolloutState;
  #sequence: number;
  #recorded = '';
  readonly #events: NewEvent[] = [];
  #wake: () => void = () => {};
  #failure: unknown;
  #running = 0;

  constructor(parts: RunnerParts, state: RolloutState, sequence: number) {
    this.#parts = parts;
    this.#state = state;
    this.#sequence = sequence;
  }

  /**
   * Runs until nothing goes on, or the signal: then updates that were begun go on without it. `first` is what an administrator
   * said; it is taken before anything is started. Throws ROLLOUT_REFUSED, ROLLOUT_TAKEN_OVER, ROLLOUT_UNRECORDED.
   */
  async run(first: readonly NewEvent[], signal: AbortSignal): Promise<RolloutState> {
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      // What is to be done is worked out once, after all that was said.
      this.#apply(first);
      void this.#tick(stop);
      await this.#take([{ type: 'runner-began' }], stop);
      while (!signal.aborted && !(isAtRest(this.#state) && this.#running === 0)) {
        await this.#something(signal);
        await this.#take(this.#events.splice(0), stop);
      }
      return this.#state;
    } finally {
      signal.removeEventListener('abort', wake);
      ended.abort();
    }
  }

  async #something(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#events.length > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #take(events: readonly NewEvent[], signal: AbortSignal): Promise<void> {
    const effects = this.#apply(events);
    await this.#record(signal);
    if (signal.aborted) return;
    for (const effect of effects) this.#run(effect, signal);
  }

  #apply(events: readonly NewEvent[]): readonly RolloutEffect[] {
    const before = this.#state;
    const effects: RolloutEffect[] = [];
    for (const event of events) {
      const next = transition(this.#state, { ...event, atMs: this.#parts.clock.now() } as RolloutEvent);
      this.#state = next.state;
      effects.push(...next.effects);
    }
    if (this.#state !== before) this.#parts.onChange(before, this.#state);
    return effects;
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(TICK_MS, signal);
      if (!signal.aborted) this.#emit({ type: 'time-passed' });
    }
  }

  /** Resolves when the state is on this machine's disk and on a majority of the witnesses. */
  async #record(signal: AbortSignal): Promise<void> {
    const progress = packProgress(this.#state);
    const key = progress.toString('base64');
    if (key === this.#recorded) return;
    const { journal, witnesses, claim } = this.#parts;
    const state = this.#state;
    const sequence = this.#sequence + 1;
    await journal.write({ ...claim, sequence, state });
    const { plan } = state;
    const written = { ...claim, sequence, witnesses: plan.witnesses, summary: summaryOf(state), ended: hasEnded(state) };
    await witnesses.put({ ...written, plan: packPlan(plan), progress }, signal);
    this.#sequence = sequence;
    this.#recorded = key;
  }

  #run(effect: RolloutEffect, signal: AbortSignal): void {
    this.#running += 1;
    this.#parts.work
      .carryOut(effect, signal)
      .then(
        (outcome) => this.#emit(outcome),
        (error) => {
          if (!signal.aborted) this.#failure ??= error;
        },
      )
      .finally(() => {
        this.#running -= 1;
        this.#wake();
      });
  }

  #emit(event: NewEvent): void {
    this.#events.push(event);
    this.#wake();
  }
}
