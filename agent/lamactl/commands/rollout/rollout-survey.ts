// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import { type Answer, ask } from '../../fleet/ask.ts';
import type { Answers } from '../../fleet/poll/questions.ts';
import type { BundleFile } from '../../node/bundle-file.ts';
import type { Target } from '../../node/node.ts';
import type { KnownRollout } from '../../node/node-rollout.ts';
import { isUnderWay } from '../../node/node-state.ts';
import type { BundleSource } from '../../node/node-update.ts';
import { newestOfEach } from '../../rollout/find-rollout.ts';
import { isInCluster } from '../../rollout/k3s-labels.ts';
import { type NodeFacts, type Plan, planRollout, type Schedule } from '../../rollout/plan.ts';
import { planIdOf } from '../../rollout/record.ts';
import { limitOf } from '../../rollout/waves.ts';
import type { World } from '../../world.ts';
import { type BundleArgument, bundleArgument } from '../options.ts';
import { type Session, USUAL_TIMEOUT_MS, WORK_TIMEOUT_MS } from '../session.ts';
import { type PlanOptions, WINDOW_NODE_MS } from './rollout-options.ts';
import { pollNodes } from './rollout-poll.ts';

/** What is known before a rollout, and what follows from it. */
export interface Survey {
  readonly schedule: Schedule;
  readonly plan: Plan;
  /** The rollouts that the nodes of the context know. */
  readonly known: readonly KnownRollout[];
}

/** Asks the selected nodes what they run, and plans a rollout. Changes nothing. */
export async function survey(session: Session, options: PlanOptions, openFile: (path: string) => Promise<BundleFile>): Promise<Survey> {
  const targets = await session.targets();
  refuseUnfit(options);
  const { argument, source } = await bundleOf(bundleArgument(options.bundle, options.onNode === true), options.bundle, openFile);
  const told = await pollNodes(session, 'rollout', targets);
  const answers = told.map((answer): Answer<Look> => (answer.ok ? { ...answer, value: lookOf(answer.value, source) } : answer));
  const facts = answers.map(({ target: { name, labels }, ...answer }): NodeFacts => {
    return { name, labels, state: answer.ok ? answer.value.state : { answers: false, why: answer.failure.message } };
  });
  const found = await factsOfBundle(
    session,
    targets.filter((_, index) => answers[index]!.ok),
    source,
  );
  const schedule = planRollout(facts, { ...options, ...found });
  refuseVoidGate(options, schedule, targets);
  refusePauseAfterAll(options, schedule);
  const plan = planOf(session.world, options, { argument, source, ...found }, schedule);
  const copies = answers.flatMap((answer) => (answer.ok ? answer.value.rollouts : []));
  const known = newestOfEach([...copies, ...(await knownElsewhere(session, targets))]);
  return withLeftOut({ schedule, plan, known }, schedule.leftOut);
}

/** Of those that are left out, the plan keeps the ones that stay behind, and with which exit the worst of them does. */
export function withLeftOut(
  { schedule, plan: { leftOut: _, leftOutExit: _exit, ...plan }, known }: Survey,
  leftOut: Schedule['leftOut'],
  leftOutExit: ExitName = 'refused',
): Survey {
  const behind = leftOut.flatMap(({ name, why, runsIt }) => (runsIt ? [] : [{ name, why }]));
  const complete = { ...plan, ...(behind.length > 0 && { leftOut: behind, leftOutExit }) };
  return { schedule: { ...schedule, leftOut }, plan: { ...complete, id: planIdOf(complete) }, known };
}

/** A file is said by its whole path: whoever goes on with the rollout may stand in another folder. */
async function bundleOf(
  argument: BundleArgument,
  said: string,
  openFile: (path: string) => Promise<BundleFile>,
): Promise<Pick<Plan['bundle'], 'argument' | 'source'>> {
  if (!('file' in argument)) return { argument: said, source: argument };
  const { info } = await openFile(argument.file);
  return { argument: resolve(argument.file), source: { client: info } };
}

/** What the nodes know that were not selected: one rollout may hold up the others' witnesses, and the servers of their clusters. */
async function knownElsewhere(session: Session, selected: readonly Target[]): Promise<readonly KnownRollout[]> {
  const names = new Set(selected.map(({ name }) => name));
  const others = (await session.targetsOf('all')).filter(({ name }) => !names.has(name));
  const options = { timeoutMs: session.timeoutMs(USUAL_TIMEOUT_MS) };
  const answers = await ask(others, session.world.connect, options, (node) => node.rollouts());
  return answers.flatMap((answer) => (answer.ok ? answer.value : []));
}

interface Look {
  readonly state: NodeFacts['state'] & { readonly answers: true };
  readonly rollouts: readonly KnownRollout[];
}

function lookOf(answers: Answers['rollout'], source: BundleSource): Look {
  const { device, update, rollouts } = answers;
  const busyWith = isUnderWay(update) ? update.phase : '';
  const { imageVersion: version, compatible } = device;
  return { state: { answers: true, version, compatible, runsFile: runsFile(answers, source), busyWith }, rollouts };
}

/** Whether the node committed this very file, and has booted it. */
function runsFile({ device, update }: Answers['rollout'], source: BundleSource): boolean {
  if (update?.phase !== 'committed' || !update.source || !('client' in update.source) || !('client' in source)) return false;
  const booted = device.slots.find((slot) => slot.booted);
  return update.source.client.sha256 === source.client.sha256 && update.targetSlot === booted?.name;
}

/** A file of ours no node can look at yet; of any other, one of the nodes tells. */
async function factsOfBundle(
  session: Session,
  targets: readonly Target[],
  source: BundleSource,
): Promise<Pick<Plan['bundle'], 'version' | 'compatible'>> {
  const [first] = targets;
  if ('client' in source || !first) return { version: '', compatible: '' };
  const [answer] = await ask([first], session.world.connect, { timeoutMs: session.timeoutMs(WORK_TIMEOUT_MS) }, (node) =>
    node.inspect(source),
  );
  if (answer?.ok) return { version: answer.value.bundle.version, compatible: answer.value.bundle.compatible };
  // A node that cannot stream cannot look into a URL either; what is wrong with a bundle is wrong for all of them.
  if (answer && answer.failure.code !== 'INVALID_REQUEST' && answer.failure.code !== 'PERMISSION_DENIED') throw answer.failure;
  return { version: '', compatible: '' };
}

function planOf({ clock, random }: World, options: PlanOptions, bundle: Plan['bundle'], schedule: Schedule): Plan {
  const { gate, window = '', pauseAfter = 0, soak = 0, waitForAbsent, nodeTimeout, limitRate = 0, tolerate } = options;
  const { nodes, waves, maxUnavailable, witnesses } = schedule;
  return {
    id: '',
    salt: random(16).toString('hex'),
    createdAtMs: clock.now(),
    bundle,
    options: {
      maxUnavailable,
      tolerate: tolerate ? limitOf(tolerate, nodes.length) : 0,
      gates: [...gate],
      window,
      pauseAfter,
      soakMs: soak,
      absentMs: waitForAbsent,
      nodeMs: window === '' ? nodeTimeout : Math.max(nodeTimeout, WINDOW_NODE_MS),
      bytesPerSecond: limitRate,
      ...(options.peers && { peers: true }),
      force: options.force === true,
      allowDowngrade: options.allowDowngrade === true,
    },
    nodes: nodes.map(({ why: _, ...node }) => node),
    waves,
    witnesses: [...witnesses],
  };
}

/** Whoever wants to look at a wave before the next shall not learn too late that there was no next. */
function refusePauseAfterAll({ pauseAfter = 0 }: PlanOptions, { waves }: Schedule): void {
  if (waves === 0 || pauseAfter < waves) return;
  const found = `the rollout has ${waves === 1 ? 'one wave' : `${waves} waves`}, and ends after the last`;
  throw new Failure('INVALID_REQUEST', `Cannot pause after wave ${pauseAfter}: ${found}`, { field: 'pause-after' });
}

/** A gate that would hold up no node was meant for some. */
function refuseVoidGate({ gate }: PlanOptions, { nodes }: Schedule, targets: readonly Target[]): void {
  const members = new Set(targets.flatMap(({ name, labels }) => (isInCluster(labels) ? [name] : [])));
  if (!gate.includes('k3s') || nodes.length === 0 || nodes.some(({ name }) => members.has(name))) return;
  const found = 'none that would be updated has the role k3s, or the label k3s';
  const remedy = 'enroll those of the cluster again with their labels, and --role k3s, or leave out the gate k3s';
  throw new Failure('INVALID_REQUEST', `Cannot drain any node: ${found}; ${remedy}`, { field: 'gate' });
}

function refuseUnfit({ window, gate, bundle, onNode, peers }: PlanOptions): void {
  if (peers && !('file' in bundleArgument(bundle, onNode === true))) {
    throw new Failure('INVALID_REQUEST', 'Cannot have nodes fetch from each other: only a file of this machine is kept by nodes', {
      field: 'peers',
    });
  }
  if (/^https:\/\/[^?]*\?/.test(bundle)) {
    const found = 'its query may be a secret, and readers may see the record of a rollout; give what the server wants to see with --header';
    throw new Failure('INVALID_REQUEST', `Cannot roll out from this URL: ${found}`, { field: 'bundle' });
  }
  if (window === undefined) return;
  if (gate.includes('k3s')) {
    throw new Failure(
      'INVALID_REQUEST',
      'Cannot drain nodes in a window: lamactl would have to be there for the reboot; leave out --window or the gate k3s',
      {
        field: 'window',
      },
    );
  }
  if ('file' in bundleArgument(bundle, onNode === true)) {
    throw new Failure('INVALID_REQUEST', 'Cannot give a file in a window: lamactl would have to wait for it; use --on-node or a URL', {
      field: 'window',
    });
  }
}
