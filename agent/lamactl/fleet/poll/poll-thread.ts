// SPDX-License-Identifier: Apache-2.0
// The program of a thread that asks its part of the nodes. It is bundled on its own, for to compile the whole of lamactl once more takes as long as a hundred nodes.
import { parentPort, workerData } from 'node:worker_threads';
import type { Failure, FailureCode } from '../../../shared/failure.ts';
import type { Identity } from '../../../shared/tls.ts';
import type { Target } from '../../node/node.ts';
import type { Answer } from '../ask.ts';
import { pollPart } from './poll-part.ts';
import type { Answers, QuestionName } from './questions.ts';
import type { Turns } from './turns.ts';

/** What a thread is to ask, and whom when it is its turn. */
export interface Order {
  readonly name: QuestionName;
  /** Shared with the other threads. */
  readonly turns: Turns;
  readonly timeoutMs: number;
  readonly atATime: number;
  readonly identities: readonly Identity[];
  readonly targets: readonly (Omit<Target, 'identity'> & { readonly identity: number })[];
}

/** What came of asking one. */
export type Report = { readonly index: number } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: FailureCode; readonly message: string; readonly facts: Failure['facts'] }
);

/** Answers go to the main thread together, for each message wakes it. */
const REPORT_EVERY_MS = 50;

/** Carries out the order that this thread was started with. */
async function pollInThread(): Promise<void> {
  const { name, targets, identities, turns, ...options } = workerData as Order;
  const own = identities.map(({ ca, certificate, key }) => ({
    ca: Buffer.from(ca),
    certificate: Buffer.from(certificate),
    key: Buffer.from(key),
  }));
  let reports: Report[] = [];
  const send = (): void => {
    if (reports.length > 0) parentPort?.postMessage(reports);
    reports = [];
  };
  const timer = setInterval(send, REPORT_EVERY_MS);
  const whole = targets.map((target): Target => ({ ...target, identity: own[target.identity]! }));
  await pollPart(name, whole, turns, options, (answer, index) => reports.push(reportOf(answer, index)));
  clearInterval(timer);
  send();
}

function reportOf(answer: Answer<Answers[QuestionName]>, index: number): Report {
  if (answer.ok) return { index, ok: true, value: answer.value };
  const { code, message, facts } = answer.failure;
  return { index, ok: false, code, message, facts };
}

void pollInThread();
