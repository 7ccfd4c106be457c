// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Connect, ConnectOptions, NodeConnection, Target } from '../node/node.ts';
import { fanOut } from './fan-out.ts';

/** What came of asking one node. */
export type Answer<Value> = { readonly target: Target } & (
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure }
);

/** Asks every node the same over a connection of its own, and tells each answer as it comes. One dead node holds up no other and fails no other. */
export function ask<Value>(
  targets: readonly Target[],
  connect: Connect,
  options: ConnectOptions,
  question: (node: NodeConnection, target: Target) => Promise<Value>,
  told: (answer: Answer<Value>) => void = () => {},
): Promise<readonly Answer<Value>[]> {
  return fanOut(targets, async (target) => {
    const answer = await askOne(target, connect, options, (node) => question(node, target));
    told(answer);
    return answer;
  });
}

/** Asks one node. Never throws. */
export async function askOne<Value>(
  target: Target,
  connect: Connect,
  options: ConnectOptions,
  question: (node: NodeConnection) => Promise<Value>,
): Promise<Answer<Value>> {
  try {
    const node = await connect(target, options);
    try {
      return { target, ok: true, value: await question(node) };
    } finally {
      node.close();
    }
  } catch (thrown) {
    return { target, ok: false, failure: Failure.from(thrown) };
  }
}
