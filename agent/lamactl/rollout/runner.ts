// SPDX-License-Identifier: Apache-2.0
import { setMaxListeners } from 'node:events';
import type { RolloutClaim } from '../node/node-rollout.ts';
import type { Clock } from '../world.ts';
import type { RolloutEffect, RolloutEvent } from './event.ts';
import type { RolloutJournal } from './journal.ts';
import type { NodeWork } from './node-work.ts';
import { LEAP_MS } from './patience.ts';
import { packPlan, packProgress } from './record.ts';
import type { RecordSeal } from './seal.ts';
import { hasEnded, isAtRest, type RolloutState, summaryOf } from './state.ts';
import { transition } from './transition.ts';
import type { Witnesses } from './witnesses.ts';

export interface RunnerParts {
  readonly claim: RolloutClaim;
  readonly journal: Pick<RolloutJournal, 'write'>;
  readonly seal: Pick<RecordSeal, 'close'>;
  readonly witnesses: Pick<Witnesses, 'put'>;
  readonly clock: Clock;
  /** Rollouts that this one, which is new, does not have to wait for. */
  readonly replaced?: readonly string[];
  readonly onChange: (before: RolloutState, after: RolloutState) => void;
}

/** Nodes that were away are asked again, and soaks end, at this pace. */
const TICK_MS = 10_000;
/** What is under way when lamactl is told to end may still put things in order. */
const LAST_WORDS_MS = 40_000;

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
  /** When it took events last: with its ticks no more than a moment passes between, unless its machine sleeps. */
  #lookedMs: number;
  readonly #running = new Set<Promise<void>>();

  constructor(parts: RunnerParts, state: RolloutState, sequence: number) {
    this.#parts = parts;
    this.#state = state;
    this.#sequence = sequence;
    this.#lookedMs = parts.clock.now();
  }

  get state(): RolloutState {
    return this.#state;
  }

  /** Puts on record what an administrator said; nothing is done about it yet. Throws ROLLOUT_REFUSED, ROLLOUT_TAKEN_OVER, ROLLOUT_UNRECORDED. */
  async record(orders: readonly NewEvent[], signal: AbortSignal): Promise<void> {
    this.#apply(orders);
    await this.#record(signal);
  }

  /**
   * Runs until nothing goes on, or the signal: then updates that were begun go on without it. Throws ROLLOUT_TAKEN_OVER,
   * ROLLOUT_UNRECORDED.
   */
  async run(work: Pick<NodeWork, 'carryOut'>, signal: AbortSignal): Promise<RolloutState> {
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    // Every node in flight listens to it; Node would print a warning from the eleventh on.
    setMaxListeners(0, stop);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      void this.#tick(stop);
      await this.#take([{ type: 'runner-began' }], work, stop);
      while (!signal.aborted && !(isAtRest(this.#state) && this.#running.size === 0)) {
        await this.#something(signal);
        await this.#take(this.#events.splice(0), work, stop);
      }
      return this.#state;
    } finally {
      signal.removeEventListener('abort', wake);
      ended.abort();
      await this.#lastWords();
    }
  }

  async #lastWords(): Promise<void> {
    const done = new AbortController();
    const all = Promise.all(this.#running).then(() => done.abort());
    await Promise.race([all, this.#parts.clock.sleep(LAST_WORDS_MS, done.signal)]);
  }

  async #something(signal: AbortSignal): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#events.length > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #take(events: readonly NewEvent[], work: Pick<NodeWork, 'carryOut'>, signal: AbortSignal): Promise<void> {
    const effects = this.#apply(events);
    await this.#record(signal);
    if (signal.aborted) return;
    for (const effect of effects) this.#run(effect, work, signal);
  }

  #apply(events: readonly NewEvent[]): readonly RolloutEffect[] {
    const before = this.#state;
    const effects: RolloutEffect[] = [];
    const atMs = this.#parts.clock.now();
    const slept: readonly NewEvent[] = atMs - this.#lookedMs > LEAP_MS ? [{ type: 'machine-slept' }] : [];
    this.#lookedMs = atMs;
    for (const event of [...slept, ...events]) {
      const next = transition(this.#state, { ...event, atMs } as RolloutEvent);
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
    const { journal, seal, witnesses, claim, replaced = [] } = this.#parts;
    const state = this.#state;
    const sequence = this.#sequence + 1;
    await journal.write({ ...claim, sequence, state });
    const { plan } = state;
    const written = { ...claim, sequence, witnesses: plan.witnesses, summary: summaryOf(state), ended: hasEnded(state) };
    const sealed = await seal.close({ ...claim, sequence, progress });
    try {
      await witnesses.put({ ...written, plan: packPlan(plan), progress: sealed, replaced }, signal);
    } catch (thrown) {
      // Whoever is told to end does not act on it, either.
      if (signal.aborted) return;
      throw thrown;
    }
    this.#sequence = sequence;
    this.#recorded = key;
  }

  #run(effect: RolloutEffect, work: Pick<NodeWork, 'carryOut'>, signal: AbortSignal): void {
    const running = work
      .carryOut(effect, signal)
      .then(
        (outcome) => this.#emit(outcome),
        (error) => {
          if (!signal.aborted) this.#failure ??= error;
        },
      )
      .finally(() => {
        this.#running.delete(running);
        this.#wake();
      });
    this.#running.add(running);
  }

  #emit(event: NewEvent): void {
    this.#events.push(event);
    this.#wake();
  }
}
