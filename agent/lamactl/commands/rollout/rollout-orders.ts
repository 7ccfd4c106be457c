// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import type { ExitName } from '../../exit-code.ts';
import { findRollout, takeRollout } from '../../rollout/open-rollout.ts';
import { type hasEnded, isAtRest } from '../../rollout/state.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { type RunOptions, withRunOptions } from './rollout-options.ts';
import { exitOf, machineOf, newHolder, type Order, openParts, runRollout } from './rollout-run.ts';

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
      .summary(summary)
      .description(description)
      .argument('[id]', 'the rollout; without it the one that has not ended, or ended last')
      .addHelpText(
        'after',
        helpAfter(
          [[`lamactl rollout ${name}`, summary]],
          ['done', 'under-way', 'refused', 'not-found', 'rolled-back', 'update-failed', ...NODE_EXITS],
        ),
      )
      .action((id: string | undefined, options: RunOptions, command: Command) =>
        run(command, (session) => order(session, name, id, options)),
      );
  }
}

async function order(session: Session, name: OrderCommand['name'], said: string | undefined, options: RunOptions): Promise<ExitName> {
  const { world } = session;
  const parts = await openParts(session);
  const id = await findRollout(said, parts);
  if (name === 'resume') await refuseForeign(session, id);
  const interrupt = new AbortController();
  const stopListening = world.onInterrupt(() => interrupt.abort());
  const taken = await takeRollout(id, newHolder(world), parts, interrupt.signal).finally(stopListening);
  const orders = orderOf(name, taken.state);
  if (orders.length === 0 && isAtRest(taken.state)) {
    await taken.witnesses.close();
    world.stderr.write(`The rollout ${id} is ${taken.state.phase}; nothing is left to do.\n`);
    return exitOf(taken.state, []);
  }
  return runRollout(session, taken, orders, options);
}

/** Of a rollout that goes on, or is being given up, going on is all that "resume" says. */
function orderOf(name: OrderCommand['name'], state: Parameters<typeof hasEnded>[0]): readonly Order[] {
  if (name === 'take-over') return [];
  if (name !== 'resume') return [name];
  return state.phase === 'paused' || state.phase === 'halted' ? ['resume'] : [];
}

/** Two machines that both "resume" would take the rollout from each other without anybody meaning it. */
async function refuseForeign(session: Session, id: string): Promise<void> {
  const parts = await openParts(session);
  const { readRollout } = await import('../../rollout/open-rollout.ts');
  const { state, holder, witnesses } = await readRollout(id, parts, new AbortController().signal);
  await witnesses.close();
  const own = machineOf(newHolder(session.world));
  if (isAtRest(state) || machineOf(holder) === own) return;
  throw new Failure(
    'ROLLOUT_UNDER_WAY',
    `Cannot resume the rollout ${id}: ${holder} runs it, and "lamactl rollout take-over" goes on from here`,
    {
      holder,
    },
  );
}
