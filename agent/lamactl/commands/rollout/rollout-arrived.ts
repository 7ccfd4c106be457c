// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../fleet/ask.ts';
import type { NodeConnection, Target } from '../../node/node.ts';
import { judgeNode } from '../../node/node-state.ts';
import type { TrustGate } from '../../rollout/gates.ts';
import type { Schedule } from '../../rollout/plan.ts';
import { whyUnhealthy } from '../../rollout/wellness.ts';
import { type Session, USUAL_TIMEOUT_MS } from '../session.ts';
import { type Survey, withLeftOut } from './rollout-survey.ts';

/**
 * Looks at the nodes that run it already, by the gates that those have to pass which are brought to it: a rollout before this one may
 * have stopped at them. Who does not pass stays behind.
 */
export async function lookAtArrived(
  session: Session,
  survey: Survey,
  openTrust: (targets: readonly Target[]) => Promise<TrustGate | undefined>,
): Promise<Survey> {
  const { leftOut } = survey.schedule;
  const arrived = new Set(leftOut.flatMap(({ name, runsIt }) => (runsIt ? [name] : [])));
  if (arrived.size === 0) return survey;
  const targets = (await session.targets()).filter(({ name }) => arrived.has(name));
  const trust = await openTrust(targets);
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  const answers = await ask(targets, session.world.connect, { timeoutMs }, (node, target) => whyNotPassed(node, target, trust));
  const whys = new Map(answers.map((answer) => [answer.target.name, answer.ok ? answer.value : answer.failure.message]));
  return withLeftOut(
    survey,
    leftOut.map((left) => judged(left, whys.get(left.name) ?? '')),
  );
}

async function whyNotPassed(node: NodeConnection, target: Target, trust: TrustGate | undefined): Promise<string> {
  const { device, health, update } = await node.status();
  const why = whyUnhealthy(judgeNode(device, health, update));
  if (why === '') await trust?.afterwards(target);
  return why;
}

type LeftOut = Schedule['leftOut'][number];

const judged = (left: LeftOut, found: string): LeftOut => {
  return found === '' ? left : { ...left, why: `${left.why}, and does not pass: ${found}`, runsIt: false };
};
