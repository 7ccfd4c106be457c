// SPDX-License-Identifier: Apache-2.0
import { type ExitName, exitOfFailure, worst } from '../exit-code.ts';
import { type Answer, ask } from '../fleet/ask.ts';
import { type FollowEnd, type FollowEvent, follow } from '../fleet/follow.ts';
import type { NodeConnection, Target, Update } from '../fleet/node.ts';
import { EventProgress } from '../output/event-progress.ts';
import { failureText } from '../output/failure-text.ts';
import { LiveProgress } from '../output/live-progress.ts';
import { outcomeText } from '../output/outcome-text.ts';
import { PlainProgress } from '../output/plain-progress.ts';
import type { ProgressView } from '../output/progress.ts';
import { hint, type Session, USUAL_TIMEOUT_MS } from './session.ts';

export interface FollowPlan {
  /** Starts the operation and returns its id; without it, what is under way is watched. */
  readonly begin?: (node: NodeConnection) => Promise<string>;
  /** The operation to watch where none is begun; empty: the last of each node. */
  readonly operationId?: string;
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
  const ends: (readonly [Target, FollowEnd])[] = [];
  try {
    const answers = await begin(session, targets, plan);
    const followed = answers.map(
      async (answer) => [answer.target, await followOne(session, answer, plan, view, interrupt.signal)] as const,
    );
    ends.push(...(await Promise.all(followed)));
  } finally {
    stopListening();
    await view.close();
  }
  tell(session, ends);
  return worst(ends.map(([, end]) => exitOf(end, plan.goal)));
}

/** The operation to follow on each node. Not cancelled by Ctrl-C: whether a node took a request must not stay open. */
async function begin(session: Session, targets: readonly Target[], plan: FollowPlan): Promise<readonly Answer<string>[]> {
  if (!plan.begin) return targets.map((target) => ({ target, ok: true, value: plan.operationId ?? '' }));
  return ask(targets, session.world.connect, { timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS) }, plan.begin);
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
  for await (const event of follow(target, answer.value, options)) {
    show(event);
    if (event.type === 'progress' && plan.leaveManualReboot && waitsForReboot(event.update)) {
      return show({ type: 'left', why: 'waits-for-reboot' });
    }
    if (event.type !== 'progress' && event.type !== 'unreachable') return event;
  }
  throw new Error('follow() ends with a FollowEnd');
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
function tell(session: Session, ends: readonly (readonly [Target, FollowEnd])[]): void {
  const { stdout, stderr } = session.world;
  for (const [{ name }, end] of ends) {
    if (session.format === 'table') stdout.write(outcomeText(session.paint, name, end));
    if (end.type === 'error') stderr.write(failureText(name, end.failure));
  }
  const leftWhy = (...reasons: readonly string[]) =>
    ends.flatMap(([{ name }, end]) => (end.type === 'left' && reasons.includes(end.why) ? [name] : []));
  const waiting = leftWhy('waits-for-reboot');
  if (waiting.length > 0) stderr.write(`Installed. To boot it: ${hint(session, 'reboot', waiting)}\n`);
  const left = leftWhy('interrupted', 'out-of-time');
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
