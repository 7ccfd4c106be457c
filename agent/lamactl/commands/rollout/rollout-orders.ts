// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import { findRollout } from '../../rollout/find-rollout.ts';
import type { RolloutJournal } from '../../rollout/journal.ts';
import { type OpenRollout, readRollout, takeRollout } from '../../rollout/open-rollout.ts';
import type { Plan } from '../../rollout/plan.ts';
import { isAtRest, type RolloutState } from '../../rollout/state.ts';
import { transition } from '../../rollout/transition.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { type RunOptions, withRunOptions } from './rollout-options.ts';
import { exitOf, newHolder, type Order, openParts, ROLLOUT_EXITS, runRollout } from './rollout-run.ts';
import { openTools, openTrust, type RolloutTools, refuseUndrainable } from './rollout-tools.ts';

interface OrderCommand {
  readonly name: Order | 'take-over';
  readonly summary: string;
  readonly description: string;
}

const COMMANDS: readonly OrderCommand[] = [
  {
    name: 'pause',
    summary: 'begin no further node',
    description: 'Begin no further node of a rollout. Updates that were begun come to their end; whoever runs the rollout is told.',
  },
  {
    name: 'resume',
    summary: 'go on with a rollout',
    description:
      'Go on with a rollout that was paused, halted because a node failed, or left by a machine that slept. Nodes that failed are tried again; a version that rolled back is not.',
  },
  {
    name: 'abort',
    summary: 'give a rollout up',
    description:
      'Give a rollout up: what can still be cancelled is, and no further node is begun. Nodes that have the new version keep it.',
  },
  {
    name: 'undo',
    summary: 'bring all nodes of a rollout back',
    description:
      'Bring the nodes that a rollout updated back to what they ran before, no more at once than it may have down, the last first.',
  },
  {
    name: 'take-over',
    summary: 'go on with a rollout from this machine',
    description:
      'Go on with a rollout that another of your machines began: its record is on the nodes. The other machine is refused from then on, in the middle of what it does if need be.',
  },
];

export function addRolloutOrders(rollout: Command, run: Run): void {
  for (const { name, summary, description } of COMMANDS) {
    withRunOptions(rollout.command(name))
      .option('--bundle-file <file>', 'the bundle of the rollout, where it lies elsewhere on this machine than it did at the start')
      .summary(summary)
      .description(description)
      .argument('[id]', 'the rollout; without it the one that has not ended, or began last')
      .addHelpText('after', helpAfter([[`lamactl rollout ${name}`, summary]], ['not-found', ...ROLLOUT_EXITS]))
      .action((id: string | undefined, options: RunOptions, command: Command) =>
        run(command, (session) => order(session, name, id, options)),
      );
  }
}

async function order(session: Session, name: OrderCommand['name'], said: string | undefined, options: RunOptions): Promise<ExitName> {
  const { world } = session;
  const parts = await openParts(session);
  const id = await findRollout(said, parts);
  const interrupt = new AbortController();
  const stopListening = world.onInterrupt(() => interrupt.abort());
  let tools: RolloutTools | undefined;
  try {
    const seen = await readRollout(id, parts, interrupt.signal);
    await seen.witnesses.close();
    const { state } = seen;
    // What is refused, or cannot be done from here, sends nobody away.
    if (name === 'resume') await refuseForeign(seen, parts.journal);
    const ordered = orderOf(name, state).reduce((before, type) => transition(before, { type, atMs: world.clock.now() }).state, state);
    if (name === 'resume' || name === 'take-over') {
      await refuseUndrainable(session, ordered, options, interrupt.signal);
      tools = await openTools(session, state.plan, options);
    }
    const taken = await takeRollout(id, newHolder(world), parts, interrupt.signal);
    stopListening();
    const orders = orderOf(name, taken.state);
    if (orders.length > 0 || !isAtRest(taken.state)) {
      const kept = tools;
      const exit = await runRollout(session, taken, {
        orders,
        options,
        tools: async () => kept ?? toolsOf(name, session, taken.state.plan, options),
      });
      // Whoever halted it may have gone away before what was begun came to its end; now it has, unless somebody interrupted.
      const maySayIt = name === 'resume' && isUnsettled(taken.state) && exit !== 'under-way';
      return maySayIt ? await order(session, name, id, options) : exit;
    }
    await taken.witnesses.close();
    world.stderr.write(`The rollout ${id} is ${taken.state.phase}; nothing is left to do.\n`);
    return exitOf(taken.state, []);
  } finally {
    stopListening();
    await tools?.file?.close();
  }
}

/**
 * To give a rollout up takes no bundle, but what a node commits all the same is to be expected of it from then on. A node that is seen
 * to its end in a pause takes both; where they are not there, the order stands all the same.
 */
async function toolsOf(name: OrderCommand['name'], session: Session, plan: Plan, options: RunOptions): Promise<RolloutTools | undefined> {
  const { stderr } = session.world;
  try {
    if (name === 'pause') return await openTools(session, plan, options);
    return name === 'abort' ? await openTrust(session, plan, options) : {};
  } catch (thrown) {
    const { message } = Failure.from(thrown);
    if (name === 'pause') {
      stderr.write(`The rollout is paused. ${message}; updates that were begun are not waited for.\n`);
      return undefined;
    }
    stderr.write(`The rollout is given up. ${message}; a node that commits its version all the same ${UNTRUSTED}.\n`);
    return {};
  }
}

const UNTRUSTED = 'is not attested, and rejected until "lamactl rollout start" with the same bundle and gate has looked at it';

/** Of a rollout that goes on, or is being given up, going on is all that "resume" says. */
function orderOf(name: OrderCommand['name'], state: RolloutState): readonly Order[] {
  if (name === 'take-over') return [];
  if (name !== 'resume') return [name];
  if (isUnsettled(state)) return [];
  return state.phase === 'paused' || state.phase === 'halted' ? ['resume'] : [];
}

/** Nodes that failed are tried again only once nothing that was begun is open. */
const isUnsettled = (state: RolloutState): boolean => state.phase === 'halted' && !isAtRest(state);

/** Two machines that both "resume" would take the rollout from each other without anybody meaning it. */
async function refuseForeign({ state, holder, epoch }: OpenRollout, journal: RolloutJournal): Promise<void> {
  const { id } = state.plan;
  const own = isAtRest(state) ? undefined : await journal.read(id);
  // Nobody took it after this machine did.
  if (isAtRest(state) || (own && own.epoch >= epoch)) return;
  const found = `${holder} runs it, and "lamactl rollout take-over" goes on from here`;
  throw new Failure('ROLLOUT_UNDER_WAY', `Cannot resume the rollout ${id}: ${found}`, { holder });
}
