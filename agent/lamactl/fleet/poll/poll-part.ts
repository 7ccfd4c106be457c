// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Target } from '../../node/node.ts';
import { UnaryChannel } from '../../node/unary-channel.ts';
import type { Answer } from '../ask.ts';
import { type Answers, askedNode, QUESTIONS, type QuestionName } from './questions.ts';
import { nextTurn, type Turns } from './turns.ts';

/** Asks nodes whose turn it is, so many at a time; each answer is told as it comes. One dead node holds up no other and fails no other. */
export async function pollPart<Name extends QuestionName>(
  name: Name,
  targets: readonly Target[],
  turns: Turns,
  { timeoutMs, atATime }: { readonly timeoutMs: number; readonly atATime: number },
  onAnswer: (answer: Answer<Answers[Name]>, index: number) => void,
): Promise<void> {
  const askOne = async (target: Target): Promise<Answer<Answers[Name]>> => {
    const channel = new UnaryChannel(target, timeoutMs);
    try {
      return { target, ok: true, value: await QUESTIONS[name](askedNode(channel)) };
    } catch (thrown) {
      return { target, ok: false, failure: Failure.from(thrown) };
    } finally {
      // At once: what a connection holds bounds the memory of all.
      channel.close();
    }
  };
  const asker = async (): Promise<void> => {
    for (let turn = nextTurn(turns); turn < targets.length; turn = nextTurn(turns)) onAnswer(await askOne(targets[turn]!), turn);
  };
  await Promise.all(Array.from({ length: atATime }, asker));
}
