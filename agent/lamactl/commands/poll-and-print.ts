// SPDX-License-Identifier: Apache-2.0
import type { ExitName } from '../exit-code.ts';
import type { Answers, QuestionName } from '../fleet/poll/questions.ts';
import { type Asking, type Presentation, printAsTheyCome } from './print-answers.ts';
import { type Session, USUAL_TIMEOUT_MS } from './session.ts';

/** Asks every selected node one of the questions that many are asked at once; prints what they answer, and returns the worst exit. */
export async function pollAndPrint<Name extends QuestionName, Value>(
  session: Session,
  name: Name,
  read: (answer: Answers[Name]) => Value,
  presentation: Presentation<Value>,
): Promise<ExitName> {
  const targets = await session.targets();
  const asking: Asking<Value> = (told) =>
    session.world.poll(name, targets, session.timeoutMs(USUAL_TIMEOUT_MS), (answer) =>
      told(answer.ok ? { ...answer, value: read(answer.value) } : answer),
    );
  return printAsTheyCome(session, targets, asking, presentation);
}
