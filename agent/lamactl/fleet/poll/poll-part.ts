// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Target } from '../../node/node.ts';
import { UnaryChannel } from '../../node/unary-channel.ts';
import type { Answer } from '../ask.ts';
import { fanOut } from '../fan-out.ts';
import { type Answers, askedNode, QUESTIONS, type QuestionName } from './questions.ts';

/** Asks some nodes, so many at a time; each answer is told as it comes. One dead node holds up no other and fails no other. */
export async function pollPart<Name extends QuestionName>(
  name: Name,
  targets: readonly Target[],
  { timeoutMs, atATime }: { readonly timeoutMs: number; readonly atATime: number },
  onAnswer: (answer: Answer<Answers[Name]>, index: number) => void,
): Promise<void> {
  const one = async ([index, target]: readonly [number, Target]): Promise<void> => {
    const channel = new UnaryChannel(target, timeoutMs);
    try {
      onAnswer({ target, ok: true, value: await QUESTIONS[name](askedNode(channel)) }, index);
    } catch (thrown) {
      onAnswer({ target, ok: false, failure: Failure.from(thrown) }, index);
    } finally {
      // At once: what a connection holds bounds the memory of all.
      channel.close();
    }
  };
  await fanOut([...targets.entries()], one, atATime);
}
