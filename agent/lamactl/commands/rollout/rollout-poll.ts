// SPDX-License-Identifier: Apache-2.0
import type { Answer } from '../../fleet/ask.ts';
import type { Answers, QuestionName } from '../../fleet/poll/questions.ts';
import type { Target } from '../../node/node.ts';
import { PollProgress } from '../../output/poll-progress.ts';
import { type Session, USUAL_TIMEOUT_MS } from '../session.ts';

/** Asks nodes one of the questions that many are asked at once, and says on a terminal meanwhile how many have answered. */
export async function pollNodes<Name extends QuestionName>(
  session: Session,
  name: Name,
  targets: readonly Target[],
): Promise<readonly Answer<Answers[Name]>[]> {
  const progress = new PollProgress(session.world, targets);
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  const answers = await session.world.poll(name, targets, timeoutMs, ({ target }) => progress.answered(target));
  progress.close();
  return answers;
}
