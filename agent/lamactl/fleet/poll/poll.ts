// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../../shared/failure.ts';
import type { Identity } from '../../../shared/tls.ts';
import type { Target } from '../../node/node.ts';
import type { Answer } from '../ask.ts';
import { pollPart } from './poll-part.ts';
import type { Order, Report } from './poll-worker.ts';
import type { Answers, QuestionName } from './questions.ts';

/** As many TLS handshakes at a time as two cores can work on without delaying each other. */
const AT_A_TIME = 64;
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
 * Asks every node the same. Many are shared out among threads, one for each core, of which this one is the first. Threads share nothing: each gets
 * its part of the nodes and tells plain answers. `program` is the file that a thread begins with. Answers are told as they come, and returned
 * in the order of the nodes. Never throws.
 */
export function pollWith(program: string): Poll {
  return async (name, targets, timeoutMs, onAnswer) => {
    const threads = targets.length < FEWEST_FOR_THREADS ? 1 : Math.min(MAX_THREADS, availableParallelism());
    const answers = new Array<Parameters<typeof onAnswer>[0]>(targets.length);
    const take = (answer: (typeof answers)[number], index: number): void => {
      answers[index] = answer;
      onAnswer(answer);
    };
    const parts = Array.from({ length: threads }, (_, part) =>
      targets.flatMap((_target, index) => (index % threads === part ? [index] : [])),
    );
    const work = parts.map((indices, part) => {
      const own = indices.map((index) => targets[index]!);
      const options = { timeoutMs, atATime: Math.ceil(AT_A_TIME / threads) };
      const takeOwn = (answer: (typeof answers)[number], place: number): void => take(answer, indices[place]!);
      return part === 0 ? pollPart(name, own, options, takeOwn) : pollInThread(program, { name, ...options }, own, takeOwn);
    });
    await Promise.all(work);
    return answers;
  };
}

/** Nodes of which the thread told nothing when it ended are unknown, as all that do not answer. */
async function pollInThread<Name extends QuestionName>(
  program: string,
  order: Pick<Order, 'name' | 'timeoutMs' | 'atATime'>,
  targets: readonly Target[],
  onAnswer: (answer: Answer<Answers[Name]>, index: number) => void,
): Promise<void> {
  const waiting = new Set(targets.keys());
  const end = await new Promise<Error | undefined>((resolve) => {
    const worker = new Worker(program, {
      workerData: { ...order, ...sharedOut(targets) } satisfies Order,
      resourceLimits: THREAD_LIMITS,
    });
    worker.on('message', (reports: readonly Report[]) => {
      for (const { index, ...outcome } of reports) {
        waiting.delete(index);
        const target = targets[index]!;
        if (outcome.ok) onAnswer({ target, ok: true, value: outcome.value as Answers[Name] }, index);
        else onAnswer({ target, ok: false, failure: new Failure(outcome.code, outcome.message, outcome.facts) }, index);
      }
    });
    worker.once('error', resolve);
    worker.once('exit', () => resolve(undefined));
  });
  for (const index of waiting) {
    const failure = new Failure('INTERNAL', `Cannot ask the node: the thread that was to ask it ended${end ? `: ${end.message}` : ''}`);
    onAnswer({ target: targets[index]!, ok: false, failure }, index);
  }
}

/** All nodes of a context have one identity, which is sent once. */
function sharedOut(targets: readonly Target[]): Pick<Order, 'targets' | 'identities'> {
  const identities: Identity[] = [];
  const shared = targets.map(({ identity, ...target }) => {
    if (!identities.includes(identity)) identities.push(identity);
    return { ...target, identity: identities.indexOf(identity) };
  });
  return { targets: shared, identities };
}
