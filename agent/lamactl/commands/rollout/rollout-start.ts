// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import { BundleFile } from '../../node/bundle-file.ts';
import type { KnownRollout } from '../../node/node-rollout.ts';
import { renderDocument, renderEvent } from '../../output/document.ts';
import { planText } from '../../output/plan-text.ts';
import { isInCluster } from '../../rollout/k3s-labels.ts';
import { targetsNamed } from '../../rollout/open-rollout.ts';
import { begin } from '../../rollout/state.ts';
import { Witnesses } from '../../rollout/witnesses.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { lookAtArrived } from './rollout-arrived.ts';
import { type PlanOptions, type RunOptions, withPlanOptions, withRunOptions } from './rollout-options.ts';
import { exitOfLeftOut, newHolder, openParts, ROLLOUT_EXITS, runRollout } from './rollout-run.ts';
import { type Survey, survey } from './rollout-survey.ts';
import { openTools, refuseUndrainable, trustGate } from './rollout-tools.ts';

export function addRolloutPlan(rollout: Command, run: Run): void {
  withPlanOptions(rollout.command('plan'))
    .summary('show which node would come when, and why')
    .description('Show which of the selected nodes would be updated in which wave, and why, and which would be left out. Changes nothing.')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl rollout plan --all --bundle ./v2.raucb', 'every node of the context'],
          ['lamactl rollout plan -l role=k3s --bundle ./v2.raucb --waves 1,rest', 'some of them'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((options: PlanOptions, command: Command) => run(command, (session) => plan(session, options)));
}

export function addRolloutStart(rollout: Command, run: Run): void {
  withRunOptions(withPlanOptions(rollout.command('start')))
    .summary('begin a rollout, and run it')
    .description(
      'Plan a rollout over the selected nodes, begin it, and run it to its end. It stops when the version fails or rolls back anywhere. Ctrl-C leaves the updates running that were begun; "lamactl rollout resume" goes on.',
    )
    .option('--replace', 'although another rollout has not ended, and nobody goes on with it')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl rollout start --all --bundle ./v2.raucb', 'one node, a tenth, the rest'],
          ['lamactl rollout start -l site=attic --bundle https://images.lan/v2.raucb --soak 10m --pause-after 1', 'carefully'],
          ['lamactl rollout start --all --gate health,k3s --kubeconfig ~/.kube/config --bundle ./v2.raucb', 'drained one by one'],
        ],
        ROLLOUT_EXITS,
      ),
    )
    .action((options: StartOptions, command: Command) => run(command, (session) => start(session, options)));
}

/** As many as a node takes. */
const MOST_REPLACED = 64;

interface StartOptions extends PlanOptions, RunOptions {
  readonly replace?: true;
}

/** A file is read once for its hash; whoever runs the rollout opens it again. */
async function readOnce(path: string): Promise<BundleFile> {
  const file = await BundleFile.open(path);
  await file.close();
  return file;
}

async function plan(session: Session, options: PlanOptions): Promise<ExitName> {
  const found = await survey(session, options, readOnce);
  await show(session, await lookAtArrived(session, found, async () => undefined));
  return 'done';
}

async function show({ world, format, paint }: Session, { schedule, plan: { bundle, options } }: Survey): Promise<void> {
  const { window } = options;
  const { nodes, leftOut, waves, maxUnavailable, witnesses } = schedule;
  const document = {
    version: bundle.version,
    waves,
    maxUnavailable,
    witnesses,
    nodes: nodes.map(({ wave, ...node }) => ({ ...node, wave: wave + 1 })),
    leftOut,
  };
  const text = planText(paint, schedule) + windowText(window, maxUnavailable);
  world.stdout.write(format === 'table' ? text : await renderDocument(format, document));
}

/** A node counts as down from when it is told of its update until it has committed it. */
function windowText(window: string, maxUnavailable: number): string {
  if (window === '') return '';
  return `within "${window}" by themselves, ${maxUnavailable} at a time: the next are told once lamactl has seen these committed\n`;
}

/** What is known before the first event: all of it for a person, and who has no part in it for a program. */
async function tellPlan(session: Session, found: Survey): Promise<void> {
  const { world, format } = session;
  if (format === 'table') return show(session, found);
  for (const { name, ...left } of found.schedule.leftOut) {
    world.stdout.write(await renderEvent(format, { node: name, type: 'left-out', ...left }));
  }
}

/** Throws a Failure where another rollout that has not ended is not to be replaced, or nothing would replace it. */
async function refuseBeside(
  session: Session,
  { id, summary }: KnownRollout,
  { schedule }: Survey,
  { replace }: StartOptions,
): Promise<void> {
  if (!replace) {
    throw new Failure('ROLLOUT_UNDER_WAY', `Cannot begin a rollout: another has not ended: ${id}, ${summary}`, { rollout: id });
  }
  if (schedule.nodes.length > 0) return;
  const mayDrain = (await session.targetsOf('all')).some(({ labels }) => isInCluster(labels));
  const remedy = `"lamactl rollout resume ${id}" goes on with it, and "lamactl rollout abort ${id}" gives it up`;
  const cordons = mayDrain ? '; either uncordons what it drained' : '';
  throw new Failure('ROLLOUT_REFUSED', `Cannot replace the rollout ${id}: no selected node is to be updated; ${remedy}${cordons}`, {
    rollout: id,
  });
}

async function start(session: Session, options: StartOptions): Promise<ExitName> {
  const surveyed = await survey(session, options, readOnce);
  const other = surveyed.known.find(({ ended }) => !ended);
  if (other) await refuseBeside(session, other, surveyed, options);
  const found = await lookAtArrived(session, surveyed, (targets) => trustGate(session, surveyed.plan, targets, options));
  const { schedule, plan, known } = found;
  await tellPlan(session, found);
  if (schedule.nodes.length === 0) return exitOfLeftOut(plan);
  if (plan.witnesses.length === 0) {
    throw new Failure('NODE_UNREACHABLE', 'Cannot begin a rollout: no node that it is for answers, so that none can keep its record');
  }
  const parts = await openParts(session);
  const state = begin(plan);
  await refuseUndrainable(session, state, options, new AbortController().signal);
  const tools = await openTools(session, plan, options);
  if (other && parts.targets.some(({ labels }) => isInCluster(labels))) {
    const found = 'this one, with the gate k3s, uncordons those that it updates, and kubectl the others';
    session.world.stderr.write(`Nodes that the rollout ${other.id} drained may be cordoned still: ${found}.\n`);
  }
  const claim = { rolloutId: plan.id, epoch: 1, holder: newHolder(session.world) };
  const witnesses = new Witnesses(targetsNamed(parts.targets, plan.witnesses), parts);
  // A node that was away may take one of these for open still.
  const replaced = known.map(({ id }) => id).slice(0, MOST_REPLACED);
  const taken = { claim, witnesses, state, sequence: 0, replaced };
  return runRollout(session, taken, { orders: [], options, tools: async () => tools });
}
