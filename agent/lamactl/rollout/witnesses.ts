// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Connect, NodeConnection, Target } from '../node/node.ts';
import type { RolloutClaim, RolloutCopy, RolloutWrite } from '../node/node-rollout.ts';
import type { Clock } from '../world.ts';
import { Patience } from './patience.ts';
import { majorityOf } from './quorum.ts';

export interface WitnessParts {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** How long a majority may be away, for a witness reboots into the new version like all others. */
  readonly patienceMs: number;
  /** Told, once for each question, when that takes longer than a moment: how many witnesses answered of those that it takes, and why not more. */
  readonly onWait?: (found: string) => void;
}

/** What the witnesses say to one question. */
interface Poll<Answer> {
  readonly wanted: number;
  readonly beganMs: number;
  /** Whether it was said that it takes long. */
  isTold: boolean;
  /** So many have answered, or may still. */
  possible: number;
  readonly answers: Map<string, Answer>;
  /** Why one of them will not answer. */
  refusal?: Failure;
  last?: Failure;
}

const PAUSE_MS = 1_000;
const LAST_WORDS_MS = 2_000;
/** A witness that answers at all mostly does before. */
const A_MOMENT_MS = 5_000;

/** The nodes that keep the record of a rollout. What a majority of them has taken is decided. */
export class Witnesses {
  readonly #targets: readonly (Target | undefined)[];
  readonly #parts: WitnessParts;
  readonly #connections = new Map<string, NodeConnection>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Those that have the plan. */
  readonly #planned = new Set<string>();

  /** One that the context no longer has is undefined: it never answers. */
  constructor(targets: readonly (Target | undefined)[], parts: WitnessParts) {
    this.#targets = targets;
    this.#parts = parts;
  }

  /** Has a majority refuse every older runner; returns what they have. Throws ROLLOUT_TAKEN_OVER, ROLLOUT_UNRECORDED. */
  async take(claim: RolloutClaim, signal: AbortSignal): Promise<readonly RolloutCopy[]> {
    const copies = await this.#majority((node) => node.takeRollout(claim), signal);
    for (const [name, copy] of copies) if (copy.plan.length > 0) this.#planned.add(name);
    return [...copies.values()];
  }

  /** Resolves when a majority has it on the disk. Throws ROLLOUT_TAKEN_OVER, ROLLOUT_UNRECORDED. */
  async put(write: RolloutWrite, signal: AbortSignal): Promise<void> {
    await this.#majority(async (node, name) => {
      const plan = this.#planned.has(name) ? Buffer.of() : write.plan;
      await node.putRollout({ ...write, plan });
      this.#planned.add(name);
    }, signal);
  }

  /** What a majority has. Throws ROLLOUT_UNRECORDED. */
  async read(rolloutId: string, signal: AbortSignal): Promise<readonly RolloutCopy[]> {
    const absent: RolloutCopy = {
      id: rolloutId,
      epoch: 0,
      holder: '',
      sequence: 0,
      writtenEpoch: 0,
      witnesses: [],
      summary: '',
      ended: false,
      plan: Buffer.of(),
      progress: Buffer.of(),
    };
    const ask = async (node: NodeConnection): Promise<RolloutCopy> => {
      try {
        return await node.rollout(rolloutId);
      } catch (thrown) {
        if (Failure.from(thrown).code === 'ROLLOUT_NOT_FOUND') return absent;
        throw thrown;
      }
    };
    return [...(await this.#majority(ask, signal)).values()];
  }

  /** Lets what is under way to the others reach them, for a moment. */
  async close(): Promise<void> {
    const done = new AbortController();
    const all = Promise.allSettled(this.#underWay).then(() => done.abort());
    await Promise.race([all, this.#parts.clock.sleep(LAST_WORDS_MS, done.signal)]);
    for (const node of this.#connections.values()) node.close();
    this.#connections.clear();
  }

  /** Asks every witness, again and again, until a majority has answered; the others are not waited for. */
  async #majority<Answer>(
    ask: (node: NodeConnection, name: string) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Answer>> {
    const known = this.#targets.filter((target) => target !== undefined);
    const poll: Poll<Answer> = {
      wanted: majorityOf(this.#targets.length),
      beganMs: this.#parts.clock.now(),
      isTold: false,
      possible: known.length,
      answers: new Map(),
    };
    const over = new AbortController();
    const stop = AbortSignal.any([signal, over.signal]);
    await new Promise<void>((resolve) => {
      // What one of them refuses, the others may still decide.
      const look = (): void => {
        if (poll.answers.size >= poll.wanted || poll.possible < poll.wanted) resolve();
      };
      look();
      if (stop.aborted) resolve();
      stop.addEventListener('abort', () => resolve(), { once: true });
      void Promise.all(known.map((target) => this.#askUntil(target, ask, poll, stop).then(look))).then(() => resolve());
    });
    over.abort();
    if (poll.answers.size >= poll.wanted) return poll.answers;
    throw poll.refusal ?? unrecorded(poll, this.#targets.length - known.length);
  }

  /** Ends when the witness has answered, has refused, or is no longer waited for. */
  async #askUntil<Answer>(
    target: Target,
    ask: (node: NodeConnection, name: string) => Promise<Answer>,
    poll: Poll<Answer>,
    stop: AbortSignal,
  ): Promise<void> {
    const { clock, patienceMs } = this.#parts;
    const patience = new Patience(clock, patienceMs);
    for (;;) {
      try {
        const answer = await this.#tracked(this.#open(target).then((node) => ask(node, target.name)));
        if (!stop.aborted) poll.answers.set(target.name, answer);
        return;
      } catch (thrown) {
        this.#drop(target.name);
        const failure = Failure.from(thrown);
        if (stop.aborted) return;
        poll.last = failure;
        if (!PASSING.has(failure.code)) {
          // That somebody else holds the rollout says most.
          if (poll.refusal?.code !== 'ROLLOUT_TAKEN_OVER') poll.refusal = failure;
          poll.possible -= 1;
          return;
        }
        this.#tellOfWait(poll);
      }
      await clock.sleep(PAUSE_MS, stop);
      if (stop.aborted || !patience.isLeft()) return;
    }
  }

  #tellOfWait(poll: Poll<unknown>): void {
    const { clock, onWait } = this.#parts;
    if (poll.isTold || clock.now() - poll.beganMs < A_MOMENT_MS) return;
    poll.isTold = true;
    onWait?.(answeredSoFar(poll));
  }

  #tracked<Answer>(asking: Promise<Answer>): Promise<Answer> {
    this.#underWay.add(asking);
    return asking.finally(() => this.#underWay.delete(asking));
  }

  async #open(target: Target): Promise<NodeConnection> {
    const { connect, timeoutMs } = this.#parts;
    const known = this.#connections.get(target.name) ?? (await connect(target, { timeoutMs }));
    this.#connections.set(target.name, known);
    return known;
  }

  #drop(name: string): void {
    this.#connections.get(name)?.close();
    this.#connections.delete(name);
  }
}

/**
 * A node that reboots, or whose agent is restarted, is back in a while; one that has a new certificate from a new authority is known again
 * by the next connection.
 */
const PASSING: ReadonlySet<string> = new Set([
  'NODE_UNTRUSTED',
  'NODE_UNREACHABLE',
  'DEADLINE_EXCEEDED',
  'UNAUTHENTICATED',
  'JOURNAL_UNWRITABLE',
  'TOO_MANY_CALLS',
]);

function unrecorded(poll: Poll<unknown>, missing: number): Failure {
  const left = missing > 0 ? `; the context file no longer has ${missing} of them` : '';
  return new Failure('ROLLOUT_UNRECORDED', `Cannot record the rollout: ${answeredSoFar(poll)}${left}`);
}

const answeredSoFar = ({ answers, wanted, last }: Poll<unknown>): string =>
  `${answers.size} of the ${wanted} witnesses that it takes have answered${last ? ` (${last.message})` : ''}`;
