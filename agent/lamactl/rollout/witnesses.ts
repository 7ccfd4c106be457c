// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Connect, NodeConnection, Target } from '../node/node.ts';
import type { RolloutClaim, RolloutCopy, RolloutWrite } from '../node/node-rollout.ts';
import type { Clock } from '../world.ts';
import { majorityOf } from './quorum.ts';

export interface WitnessParts {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** How long a majority may be away, for a witness reboots into the new version like all others. */
  readonly patienceMs: number;
}

const PAUSE_MS = 1_000;
const LAST_WORDS_MS = 2_000;

/** The nodes that keep the record of a rollout. What a majority of them has taken is decided. */
export class Witnesses {
  readonly #targets: readonly Target[];
  readonly #parts: WitnessParts;
  readonly #connections = new Map<string, NodeConnection>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** Those that have the plan. */
  readonly #planned = new Set<string>();

  constructor(targets: readonly Target[], parts: WitnessParts) {
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
  #majority<Answer>(
    ask: (node: NodeConnection, name: string) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Answer>> {
    const { clock, patienceMs } = this.#parts;
    const wanted = majorityOf(this.#targets.length);
    const answers = new Map<string, Answer>();
    const enough = new AbortController();
    const stop = AbortSignal.any([signal, enough.signal]);
    const endMs = clock.now() + patienceMs;
    return new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        if (enough.signal.aborted) return;
        enough.abort();
        finish();
      };
      let last: Failure | undefined;
      const askUntil = async (target: Target): Promise<void> => {
        while (!stop.aborted && clock.now() <= endMs) {
          try {
            const answer = await this.#tracked(this.#open(target).then((node) => ask(node, target.name)));
            if (enough.signal.aborted) return;
            answers.set(target.name, answer);
            if (answers.size >= wanted) end(() => resolve(answers));
            return;
          } catch (thrown) {
            this.#drop(target.name);
            last = Failure.from(thrown);
            if (!PASSING.has(last.code)) return end(() => reject(thrown));
          }
          await clock.sleep(PAUSE_MS, stop);
        }
      };
      void Promise.all(this.#targets.map(askUntil)).then(() => end(() => reject(unrecorded(answers.size, wanted, last))));
    });
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

function unrecorded(answered: number, wanted: number, last: Failure | undefined): Failure {
  const found = `${answered} of the ${wanted} witnesses that it takes have answered${last ? ` (${last.message})` : ''}`;
  return new Failure('ROLLOUT_UNRECORDED', `Cannot record the rollout: ${found}`);
}
