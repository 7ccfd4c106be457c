// SPDX-License-Identifier: Apache-2.0
import { type ExitName, worst } from '../exit-code.ts';
import type { Answer } from '../fleet/ask.ts';
import type { Answers, QuestionName } from '../fleet/poll/questions.ts';
import { PollProgress } from '../output/poll-progress.ts';
import { answerDocument, exitOf, type Presentation, printAnswers } from './print-answers.ts';
import { type Session, USUAL_TIMEOUT_MS } from './session.ts';

/** Asks every selected node one of the questions that many are asked at once; prints what they answer, and returns the worst exit. */
export async function pollAndPrint<Name extends QuestionName, Value>(
  session: Session,
  name: Name,
  read: (answer: Answers[Name]) => Value,
  presentation: Presentation<Value>,
): Promise<ExitName> {
  const { poll, stdout } = session.world;
  const targets = await session.targets();
  const toldOf = (answer: Answer<Answers[Name]>): Answer<Value> => (answer.ok ? { ...answer, value: read(answer.value) } : answer);
  const progress = new PollProgress(session.world, targets);
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  if (session.format === 'jsonl') {
    const line = (answer: Answer<Value>): string => `${JSON.stringify(answerDocument(answer, presentation))}\n`;
    const exits: ExitName[] = [];
    await poll(name, targets, timeoutMs, (answer) => {
      const told = toldOf(answer);
      exits.push(exitOf(told, presentation));
      stdout.write(line(told));
    });
    return worst(exits);
  }
  const answers = await poll(name, targets, timeoutMs, ({ target }) => progress.answered(target));
  progress.close();
  return printAnswers(session, answers.map(toldOf), presentation);
}
