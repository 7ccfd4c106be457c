// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../../shared/failure.ts';
import type { Identity } from '../../../shared/tls.ts';
import type { Target } from '../../node/node.ts';
import type { Answer } from '../ask.ts';
import { CONCURRENCY } from '../fan-out.ts';
import { pollPart } from './poll-part.ts';
import type { Order, Report } from './poll-thread.ts';
import type { Answers, QuestionName } from './questions.ts';
import { newTurns } from './turns.ts';

/** The program of a thread, poll-thread.ts as text: the build puts it here. */
declare const POLL_THREAD: string;

/** Below it, a thread costs more than it brings. */
const FEWEST_FOR_THREADS = 128;
/** More would wait for the network rather than for a core. */
const MAX_THREADS = 4;
/** A thread holds a few connections and nothing else; V8 would let their remains pile up to three times as much before it clears them away. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 40 };

export type Poll = <Name extends QuestionName>(
  name: Name,
  targets: readonly Target[],
  timeoutMs: number,
  onAnswer: (answer: Answer<Answers[Name]>) => void,
) => Promise<readonly Answer<Answers[Name]>[]>;

/**
 * Asks every node the same. Many are asked by threads, one for each core, of which this one is the first: they share the turns, and nothing else.
 * Answers are told as they come, and returned in the order of the nodes. Never throws.
 */
export const poll: Poll = async (name, targets, timeoutMs, onAnswer) => {
  type Told = Parameters<typeof onAnswer>[0];
  const threads = targets.length < FEWEST_FOR_THREADS ? 1 : Math.min(MAX_THREADS, availableParallelism());
  const answers = new Array<Told>(targets.length);
  const take = (answer: Told, index: number): void => {
    answers[index] = answer;
    onAnswer(answer);
  };
  const turns = newTurns();
  const options = { timeoutMs, atATime: Math.ceil(CONCURRENCY / threads) };
  const order = (): Order => ({ name, turns, ...options, ...withoutIdentities(targets) });
  const others = Array.from({ length: threads - 1 }, () => pollInThread(order(), targets, take));
  const ends = await Promise.all([...others, pollPart(name, targets, turns, options, take)]);
  const end = ends.find((each) => each !== undefined);
  for (const [index, target] of targets.entries()) if (!answers[index]) take(notAsked(target, end), index);
  return answers;
};

/** Returns what ended the thread before its time, or why there was none: the others have its turns then. */
function pollInThread<Name extends QuestionName>(
  order: Order,
  targets: readonly Target[],
  onAnswer: (answer: Answer<Answers[Name]>, index: number) => void,
): Promise<Error | undefined> {
  return new Promise<Error | undefined>((resolve) => {
    const worker = new Worker(POLL_THREAD, { eval: true, workerData: order, resourceLimits: THREAD_LIMITS });
    let end: Error | undefined;
    worker.on('message', (reports: readonly Report[]) => {
      for (const { index, ...outcome } of reports) {
        const target = targets[index]!;
        if (outcome.ok) onAnswer({ target, ok: true, value: outcome.value as Answers[Name] }, index);
        else onAnswer({ target, ok: false, failure: new Failure(outcome.code, outcome.message, outcome.facts) }, index);
      }
    });
    worker.once('error', (error) => {
      end = error;
    });
    // What it reported before comes before this, and may come after its error.
    worker.once('exit', () => resolve(end));
  }).catch((error: Error) => error);
}

/** A node that a thread was about to ask when it ended is unknown, as all that do not answer. */
function notAsked(target: Target, end: Error | undefined): Answer<never> {
  const why = end ? `: ${end.message}` : '';
  return { target, ok: false, failure: new Failure('INTERNAL', `Cannot ask the node: the thread that was to ask it ended${why}`) };
}

/** All nodes of a context have one identity, which is sent once. */
function withoutIdentities(targets: readonly Target[]): Pick<Order, 'targets' | 'identities'> {
  const identities: Identity[] = [];
  const shared = targets.map(({ identity, ...target }) => {
    if (!identities.includes(identity)) identities.push(identity);
    return { ...target, identity: identities.indexOf(identity) };
  });
  return { targets: shared, identities };
}
