// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import type { Reserve } from '../files/reserve.ts';
import type { Clock } from '../timing/clock.ts';
import type { Feed } from './feed.ts';
import type { Effect } from './life/effect.ts';
import type { EventOf, EventType, TrialRecord, UpdateEvent } from './life/event.ts';
import { transition } from './life/lifecycle.ts';
import { isEnded, type UpdateState } from './life/state.ts';
import { type FailedVersion, failedVersion, showsBadVersion } from './records/failed-version.ts';
import type { History } from './records/history.ts';
import { type Journal, type Journaled, type ReadJournal, worthJournaling } from './records/journal.ts';
import { withoutJournal } from './records/lost-journal.ts';
import { NO_SALVAGE } from './records/salvage.ts';

/** An event as its sender knows it; the updater adds when it happened. */
export type NewEvent = { [T in EventType]: Omit<EventOf<T>, 'atMs'> }[EventType];

export type Emit = (event: NewEvent) => void;

/** Carries out one effect; resolves with the event that it came to, if any. The signal ends the waiting for it. */
export type EffectRunner = (effect: Effect, emit: Emit, signal: AbortSignal) => Promise<NewEvent | undefined>;

export interface UpdaterParts {
  readonly journal: Pick<Journal, 'read' | 'write'>;
  /** What an update that is under way may still write when the disk is full. */
  readonly reserve: Pick<Reserve, 'hold' | 'spend'>;
  readonly history: Pick<History, 'keep' | 'find' | 'failedVersions'>;
  readonly feed: Feed<UpdateState>;
  readonly runEffect: EffectRunner;
  readonly clock: Clock;
  readonly log: Logger;
}

const WRITE_ATTEMPTS = 4;
const WRITE_RETRY_MS = 1_000;
const LATER_MS = 10_000;

/**
 * The one door into an update's life. Events are taken one at a time: transition, journal, publish, and only then the
 * effects; what the effects come to arrives through the same door.
 */
export class Updater {
  readonly #parts: UpdaterParts;
  #journaled: Journaled = { state: { phase: 'idle' }, failedVersions: [] };
  #queue: Promise<unknown> = Promise.resolve();
  /** Ends the effects of the phase that the update is in, once it is in another. */
  #phase = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: UpdaterParts) {
    this.#parts = parts;
  }

  get state(): UpdateState {
    return this.#journaled.state;
  }

  failedHere(version: string): FailedVersion | undefined {
    return this.#journaled.failedVersions.find((failed) => failed.version === version);
  }

  /** Reads the journal and goes on where it left off. */
  async start(facts: Omit<EventOf<'agent-started'>, 'type' | 'atMs'>): Promise<void> {
    this.#journaled = await this.#read(facts.records);
    this.#parts.feed.publish(this.state);
    await this.submit({ type: 'agent-started', ...facts });
  }

  async #read(records: readonly TrialRecord[]): Promise<Journaled> {
    const { journal, history, clock, log } = this.#parts;
    const { journaled, damage = missing(journaled, records) } = await journal.read();
    if (!damage) return journaled;
    log.error({ err: damage.failure }, 'The journal could not be used; what it was about has failed');
    const known = await withoutJournal(history, damage.salvage, records, damage.failure, clock.now().getTime());
    await this.#write(known, 1).catch((error) => log.error({ err: error }, 'The update could not be journaled'));
    return known;
  }

  /** Takes an event. Rejects with the Failure of a command that is refused; resolves once the new state is journaled. */
  submit(event: NewEvent): Promise<void> {
    const taken = this.#queue.then(() => this.#take(event));
    this.#queue = taken.catch(() => undefined);
    return taken;
  }

  /** Stops taking events, and waits for nothing: what the installer does goes on, and is joined again at the next start. */
  stop(): void {
    this.#stopping.abort();
    this.#phase.abort();
  }

  async #take(newEvent: NewEvent): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const event = { ...newEvent, atMs: this.#parts.clock.now().getTime() } as UpdateEvent;
    const before = this.state;
    const step = transition(before, event);
    if ('refusal' in step) throw step.refusal;
    if (step.state !== before && !(await this.#remember(before, step.state, event))) return;
    if (step.state.phase !== before.phase) {
      this.#phase.abort();
      this.#phase = new AbortController();
      this.#parts.log.info({ phase: step.state.phase, from: before.phase, event: event.type }, 'The update entered a phase');
    }
    if (step.state !== before) this.#parts.feed.publish(step.state);
    for (const effect of step.effects) this.#run(effect);
  }

  /** Makes the next state the journaled one. False when it could not be, and the update took another way instead. */
  async #remember(before: UpdateState, after: UpdateState, event: UpdateEvent): Promise<boolean> {
    const next = { ...this.#journaled, state: after, failedVersions: failedVersions(this.#journaled.failedVersions, after) };
    if (!worthJournaling(before, after)) {
      this.#journaled = next;
      return true;
    }
    try {
      if (event.type === 'install-requested') await this.#parts.reserve.hold();
      await this.#write(next, event.type === 'install-requested' ? 1 : WRITE_ATTEMPTS);
    } catch (thrown) {
      const failure = Failure.from(thrown);
      this.#parts.log.error({ err: failure, phase: after.phase }, 'The update could not be journaled');
      if (event.type === 'install-requested') throw failure;
      // To give up needs no disk: the running slot stays what it is. To go on does.
      if (!isEnded(after) && after.phase !== 'rolling-back' && event.type !== 'effect-failed') {
        void this.submit({ type: 'effect-failed', effect: 'verify-slot', failure });
        return false;
      }
      this.#writeLater(next);
    }
    this.#journaled = next;
    return true;
  }

  /** An agent that starts again must not take for under way what has ended: once the disk takes it, it is told. */
  #writeLater(next: Journaled): void {
    const { clock, log } = this.#parts;
    const again = async (): Promise<void> => {
      if (this.#journaled !== next) return;
      await this.#write(next, 1).catch(() => this.#writeLater(next));
    };
    clock
      .sleep(LATER_MS, this.#stopping.signal)
      .then(() => {
        this.#queue = this.#queue.then(again);
      })
      .catch((error) => this.#stopping.signal.aborted || log.error({ err: error }, 'The update could not be journaled later'));
  }

  async #write(next: Journaled, attempts: number): Promise<void> {
    const { journal, history, reserve, clock } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        if (isEnded(next.state)) await history.keep(next.state);
        return await journal.write(next);
      } catch (error) {
        if (await reserve.spend(error)) continue;
        if (attempt >= attempts) throw error;
        await clock.sleep(WRITE_RETRY_MS, this.#stopping.signal);
      }
    }
  }

  #run(effect: Effect): void {
    const { signal } = this.#phase;
    const emit: Emit = (event) => {
      if (signal.aborted) return;
      this.submit(event).catch((error) => this.#parts.log.error({ err: error, event: event.type }, 'An event could not be taken'));
    };
    const running = this.#parts
      .runEffect(effect, emit, signal)
      .then((event) => event && emit(event))
      .catch((error) => {
        const failure = Failure.from(error);
        if (!signal.aborted) this.#parts.log.warn({ err: failure, effect: effect.type }, 'A step of the update failed');
        emit({ type: 'effect-failed', effect: effect.type, failure });
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}

/** A rollback that is the bundle's fault is remembered; a commit of the same version later is forgiveness. */
function failedVersions(known: readonly FailedVersion[], state: UpdateState): FailedVersion[] {
  if (state.phase === 'committed') return known.filter((failed) => failed.version !== state.bundle.version);
  if (!isEnded(state) || state.phase !== 'rolled-back' || !showsBadVersion(state)) return [...known];
  const failed = failedVersion(state);
  return [...known.filter((other) => other.version !== failed.version), failed];
}

/** There is no journal although a trial boot was recorded: it was there, then. */
function missing({ state }: Journaled, records: readonly TrialRecord[]): ReadJournal['damage'] {
  if (state.phase !== 'idle' || records.length === 0) return undefined;
  return { failure: new Failure('JOURNAL_UNREADABLE', 'Cannot use the journal: it is missing'), salvage: NO_SALVAGE };
}
