// SPDX-License-Identifier: Apache-2.0
import { type ExitName, exitOfFailure, worst } from '../exit-code.ts';
import { type Answer, ask } from '../fleet/ask.ts';
import type { NodeConnection, Target } from '../node/node.ts';
import { failureDocument, renderDocument } from '../output/document.ts';
import { failureText } from '../output/failure-text.ts';
import { PollProgress } from '../output/poll-progress.ts';
import type { Session } from './session.ts';

/** How a command shows what the nodes answered. */
export interface Presentation<Value> {
  /** Properties of the whole document, beside its nodes. */
  readonly common?: object;
  /** Properties of a node's entry in a document, beside its name. */
  document(value: Value): object;
  /** Properties of the entry of a node that did not answer, beside its name and error. */
  readonly failed?: object;
  /** The text for a person. */
  text(answers: readonly Answer<Value>[]): string;
  /** Whether that text tells of the nodes that did not answer, too. */
  readonly textTellsFailures?: boolean;
  exit(value: Value): ExitName;
}

/** Asks every selected node, prints what they answer, and returns the worst exit. */
export async function askAndPrint<Value>(
  session: Session,
  timeoutMs: number,
  question: (node: NodeConnection, target: Target) => Promise<Value>,
  presentation: Presentation<Value>,
): Promise<ExitName> {
  const targets = await session.targets();
  const asking: Asking<Value> = (told) => ask(targets, session.world.connect, { timeoutMs }, question, told);
  return printAsTheyCome(session, targets, asking, presentation);
}

/** Nodes that are asked: each answer is told as it comes, and that of every node has been when it resolves. */
export type Asking<Value> = (told: (answer: Answer<Value>) => void) => Promise<unknown>;

/** Prints what nodes answer: in lines of JSON as it comes, otherwise once all have answered. Returns the worst exit. */
export async function printAsTheyCome<Value>(
  session: Session,
  targets: readonly Target[],
  asking: Asking<Value>,
  presentation: Presentation<Value>,
): Promise<ExitName> {
  const { stdout } = session.world;
  if (session.format === 'jsonl') {
    const exits: ExitName[] = [];
    await asking((answer) => {
      exits.push(exitOf(answer, presentation));
      stdout.write(`${JSON.stringify(answerDocument(answer, presentation))}\n`);
    });
    return worst(exits);
  }
  const progress = new PollProgress(session.world, targets);
  const answers = new Map<string, Answer<Value>>();
  await asking((answer) => {
    progress.answered(answer.target);
    answers.set(answer.target.name, answer);
  });
  progress.close();
  const inOrder = targets.map(({ name }) => answers.get(name)!);
  return printAnswers(session, inOrder, presentation);
}

async function printAnswers<Value>(
  session: Session,
  answers: readonly Answer<Value>[],
  presentation: Presentation<Value>,
): Promise<ExitName> {
  const { stdout, stderr } = session.world;
  if (session.format === 'table') {
    // The headings of a table with nothing in it would tell nothing.
    if (presentation.textTellsFailures || answers.some(({ ok }) => ok)) stdout.write(presentation.text(answers));
    stderr.write(presentation.textTellsFailures ? remedies(answers) : answers.map(failureOf).join(''));
  } else {
    const nodes = answers.map((answer) => answerDocument(answer, presentation));
    stdout.write(await renderDocument(session.format, { ...presentation.common, nodes }));
  }
  return worst(answers.map((answer) => exitOf(answer, presentation)));
}

/** What one node answered, for a program. */
function answerDocument<Value>(answer: Answer<Value>, { document, failed }: Presentation<Value>): object {
  const node = answer.target.name;
  if (answer.ok) return { node, ...document(answer.value) };
  return { node, ...failed, error: failureDocument(answer.failure) };
}

function exitOf<Value>(answer: Answer<Value>, { exit }: Presentation<Value>): ExitName {
  return answer.ok ? exit(answer.value) : exitOfFailure(answer.failure);
}

/** What to do about failures that are told already: of many nodes with the same one, once. */
function remedies(answers: readonly Answer<unknown>[]): string {
  const nodesOf = new Map<string, string[]>();
  for (const answer of answers) {
    if (answer.ok) continue;
    const { code, remedy } = answer.failure;
    const text = `${remedy} (${code})`;
    nodesOf.set(text, [...(nodesOf.get(text) ?? []), answer.target.name]);
  }
  return [...nodesOf]
    .map(([text, nodes]) => `${nodes.length > MOST_NAMED ? `${nodes.length} nodes` : nodes.join(', ')}: ${text}\n`)
    .join('');
}

const MOST_NAMED = 10;

function failureOf(answer: Answer<unknown>): string {
  return answer.ok ? '' : failureText(answer.target.name, answer.failure);
}

/** The answers of the nodes that gave one. */
export function given<Value>(answers: readonly Answer<Value>[]): readonly { readonly node: string; readonly value: Value }[] {
  return answers.flatMap((answer) => (answer.ok ? [{ node: answer.target.name, value: answer.value }] : []));
}
