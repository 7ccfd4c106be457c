// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { type ExitName, exitOfFailure, worst } from '../../exit-code.ts';
import { type Answer, askOne } from '../../fleet/ask.ts';
import { fanOut } from '../../fleet/fan-out.ts';
import { type FollowEnd, type FollowEvent, follow } from '../../fleet/follow.ts';
import type { NodeConnection, Target } from '../../node/node.ts';
import type { Update } from '../../node/node-update.ts';
import { EventProgress } from '../../output/event-progress.ts';
import { failureText } from '../../output/failure-text.ts';
import { LiveProgress } from '../../output/live-progress.ts';
import { outcomeText } from '../../output/outcome-text.ts';
import { PlainProgress } from '../../output/plain-progress.ts';
import type { ProgressView } from '../../output/progress.ts';
import { hint, type Session, USUAL_TIMEOUT_MS } from '../session.ts';

export interface FollowPlan {
  /** Starts the operation and returns its id; without it, what is under way is watched. */
  readonly begin?: (node: NodeConnection, target: Target) => Promise<string>;
  /** The operation to watch where none is begun; empty: the last of each node. */
  readonly operationId?: string;
  /** Goes on beside the update of a node, until the update is over or left. */
  readonly beside?: (target: Target, operationId: string, signal: AbortSignal) => Promise<void>;
  /** What else must hold once the goal is reached. Throws a Failure when it does not. */
  readonly afterwards?: (target: Target) => Promise<void>;
  /** The phase that was asked for. */
  readonly goal: 'committed' | 'rolled-back';
  /** Whether to leave an update that waits for a reboot by hand. */
  readonly leaveManualReboot: boolean;
  readonly waitMs: number;
}

/** Starts or finds an update on each selected node and shows it to its end. Ctrl-C leaves the updates running. */
export async function followUpdates(session: Session, plan: FollowPlan): Promise<ExitName> {
  const { world } = session;
  const targets = await session.targets();
  const interrupt = new AbortController();
  const stopListening = world.onInterrupt(() => interrupt.abort());
  const view = progressView(session, targets);
  let ends: readonly End[];
  try {
    const begun = await fanOut(targets, async (target) => {
      const answer = await begin(session, target, plan);
      // In an object, or the fan-out would wait for the update as well.
      return { target, end: followOne(session, answer, plan, view, interrupt.signal) };
    });
    ends = await Promise.all(begun.map(async ({ target, end }) => ({ node: target.name, end: await end })));
  } finally {
    stopListening();
    await view.close();
  }
  tell(session, ends, plan);
  return worst(ends.map(({ end }) => exitOf(end, plan.goal)));
}

interface End {
  readonly node: string;
  readonly end: FollowEnd;
}

/** The operation to follow. Not cancelled by Ctrl-C: whether a node took a request must not stay open. */
async function begin(session: Session, target: Target, plan: FollowPlan): Promise<Answer<string>> {
  const { begin: ask } = plan;
  if (!ask) return { target, ok: true, value: plan.operationId ?? '' };
  return askOne(target, session.world.connect, { timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS) }, (node) => ask(node, target));
}

async function followOne(
  session: Session,
  answer: Answer<string>,
  plan: FollowPlan,
  view: ProgressView,
  signal: AbortSignal,
): Promise<FollowEnd> {
  const { target } = answer;
  const show = <Event extends FollowEvent>(event: Event): Event => {
    view.event(target.name, event);
    return event;
  };
  if (!answer.ok) return show({ type: 'error', failure: answer.failure });
  if (plan.begin) view.started(target.name, answer.value);
  const { connect, clock } = session.world;
  const timeoutMs = session.timeoutMs(USUAL_TIMEOUT_MS);
  const options = { connect, clock, signal, timeoutMs, waitMs: plan.waitMs, met: plan.begin !== undefined };
  const over = new AbortController();
  const beside = plan.beside?.(target, answer.value, over.signal);
  try {
    for await (const event of follow(target, answer.value, options)) {
      show(event);
      if (event.type === 'progress' && plan.leaveManualReboot && waitsForReboot(event.update)) {
        return show({ type: 'left', why: 'waits-for-reboot' });
      }
      if (event.type !== 'progress' && event.type !== 'unreachable') return await endOf(event, plan, target, show);
    }
  } finally {
    over.abort();
    await beside;
  }
  throw new Error('follow() ends with a FollowEnd');
}

/** The end that was shown; or a failure that comes after it. */
async function endOf(
  end: FollowEnd,
  { goal, afterwards }: FollowPlan,
  target: Target,
  show: <E extends FollowEvent>(event: E) => E,
): Promise<FollowEnd> {
  if (!afterwards || end.type !== 'result' || end.update.phase !== goal) return end;
  try {
    await afterwards(target);
    return end;
  } catch (thrown) {
    return show({ type: 'error', failure: Failure.from(thrown) });
  }
}

function waitsForReboot({ phase, rebootPolicy }: Update): boolean {
  return phase === 'pending-reboot' && rebootPolicy === 'manual';
}

function progressView(session: Session, targets: readonly Target[]): ProgressView {
  const { world, format, paint } = session;
  if (format !== 'table') return new EventProgress(world.stdout, format);
  // Lines that scrolled out of the terminal cannot be redrawn.
  const fits = targets.length < world.stdout.rows;
  const names = targets.map(({ name }) => name);
  return world.stdout.isTerminal && fits ? new LiveProgress(world, paint, names) : new PlainProgress(world);
}

/** What is to be said once every node has ended or was left. */
function tell({ world, format, paint, ...session }: Session, ends: readonly End[], { beside }: FollowPlan): void {
  const { stdout, stderr } = world;
  for (const { node, end } of ends) {
    if (format === 'table') stdout.write(outcomeText(paint, node, end));
    if (end.type === 'error') stderr.write(failureText(node, end.failure));
  }
  const waiting = ends.filter(({ end }) => end.type === 'left' && end.why === 'waits-for-reboot').map(({ node }) => node);
  if (waiting.length > 0) stderr.write(`Installed. To boot it: ${hint(session, 'reboot', waiting)}\n`);
  const left = ends.filter(({ end }) => end.type === 'left' && end.why !== 'waits-for-reboot').map(({ node }) => node);
  if (left.length > 0 && beside) {
    stderr.write(
      'A node that does not have the whole file yet waits a minute for it, and then gives the update up: the same command goes on with it.\n',
    );
  }
  if (left.length > 0) stderr.write(`The update goes on without lamactl. To watch it: ${hint(session, 'watch', left)}\n`);
}

function exitOf(end: FollowEnd, goal: FollowPlan['goal']): ExitName {
  switch (end.type) {
    case 'error':
      return exitOfFailure(end.failure);
    case 'left':
      return end.why === 'out-of-time' ? 'deadline' : 'under-way';
    case 'result':
      if (end.update.phase === goal) return 'done';
      if (end.update.phase === 'rolled-back') return 'rolled-back';
      return end.update.phase === 'failed' ? 'update-failed' : 'refused';
  }
}
