// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { EXIT_OF_STATE, type ExitName, exitOfFailure, worst } from '../../exit-code.ts';
import type { Answer } from '../../fleet/ask.ts';
import { fanOut } from '../../fleet/fan-out.ts';
import type { NodeStatus, Target } from '../../node/node.ts';
import { judgeNode } from '../../node/node-state.ts';
import type { TrustGate } from '../../rollout/gates.ts';
import type { Schedule } from '../../rollout/plan.ts';
import { whyUnhealthy } from '../../rollout/wellness.ts';
import type { Session } from '../session.ts';
import { pollNodes } from './rollout-poll.ts';
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
  const findings = await fanOut(await pollNodes(session, 'status', targets), (answer) => judge(answer, trust));
  const whys = new Map(targets.map(({ name }, index) => [name, findings[index]!.why]));
  return withLeftOut(
    survey,
    leftOut.map((left) => judged(left, whys.get(left.name) ?? '')),
    worst(['refused', ...findings.map(({ exit }) => exit)]),
  );
}

/** What keeps a node from passing; `why` is empty for one that passes. */
interface Finding {
  readonly why: string;
  readonly exit: ExitName;
}

async function judge(answer: Answer<NodeStatus>, trust: TrustGate | undefined): Promise<Finding> {
  if (!answer.ok) return notPassed(answer.failure);
  const { device, health, update } = answer.value;
  const judgement = judgeNode(device, health, update);
  const finding = { why: whyUnhealthy(judgement), exit: EXIT_OF_STATE[judgement.state] };
  if (finding.why !== '') return finding;
  try {
    await trust?.afterwards(answer.target);
    return finding;
  } catch (thrown) {
    return notPassed(Failure.from(thrown));
  }
}

const notPassed = (failure: Failure): Finding => ({ why: failure.message, exit: exitOfFailure(failure) });

type LeftOut = Schedule['leftOut'][number];

const judged = (left: LeftOut, found: string): LeftOut => {
  return found === '' ? left : { ...left, why: `${left.why}, and does not pass: ${found}`, runsIt: false };
};
