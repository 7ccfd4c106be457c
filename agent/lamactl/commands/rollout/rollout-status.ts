// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { renderDocument, renderEvent } from '../../output/document.ts';
import { rolloutDocument, rolloutText } from '../../output/rollout-text.ts';
import { table } from '../../output/table.ts';
import { findRollout, rolloutsOnNodes } from '../../rollout/find-rollout.ts';
import { type OpenRollout, readRollout } from '../../rollout/open-rollout.ts';
import { isAtRest } from '../../rollout/state.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run, Session } from '../session.ts';
import { exitOf, openParts, ROLLOUT_EXITS } from './rollout-run.ts';

const WATCH_MS = 2_000;

export function addRolloutStatus(rollout: Command, run: Run): void {
  rollout
    .command('status')
    .summary('show where a rollout stands, node by node')
    .description(
      'Show where a rollout stands, node by node, as a majority of its witnesses has it on record. Asks nothing of whoever runs it.',
    )
    .argument('[id]', 'the rollout; without it the one that has not ended, or began last')
    .addHelpText('after', helpAfter([['lamactl rollout status', 'the one under way']], ['not-found', ...ROLLOUT_EXITS]))
    .action((id: string | undefined, _options: unknown, command: Command) => run(command, (session) => status(session, id)));
}

export function addRolloutWatch(rollout: Command, run: Run): void {
  rollout
    .command('watch')
    .summary('watch a rollout that another lamactl runs')
    .description(
      'Watch a rollout that another lamactl runs, here or elsewhere, until it ends or waits for somebody. Ctrl-C ends the watching alone.',
    )
    .argument('[id]', 'the rollout; without it the one that has not ended, or began last')
    .addHelpText('after', helpAfter([['lamactl rollout watch', 'until it ends']], ['not-found', ...ROLLOUT_EXITS]))
    .action((id: string | undefined, _options: unknown, command: Command) => run(command, (session) => watch(session, id)));
}

export function addRolloutList(rollout: Command, run: Run): void {
  rollout
    .command('list')
    .summary('list the rollouts that the nodes and this machine know')
    .description('List the rollouts that the nodes of the context and this machine know, and who holds each.')
    .addHelpText('after', helpAfter([['lamactl rollout list', 'all of them']], ['done', ...NODE_EXITS]))
    .action((_options: unknown, command: Command) => run(command, list));
}

async function status(session: Session, said: string | undefined): Promise<ExitName> {
  const { world, format, paint } = session;
  const rollout = await read(session, said, new AbortController().signal);
  world.stdout.write(format === 'table' ? rolloutText(paint, rollout) : await renderDocument(format, rolloutDocument(rollout)));
  return exitOf(rollout.state, []);
}

async function read(session: Session, said: string | undefined, signal: AbortSignal): Promise<OpenRollout> {
  const parts = await openParts(session);
  // Whoever only looks does not wait for witnesses that are away.
  const looking = { ...parts, patienceMs: session.timeoutMs(parts.timeoutMs), onWait: () => {} };
  const rollout = await readRollout(await findRollout(said, parts), looking, signal);
  await rollout.witnesses.close();
  return rollout;
}

async function watch(session: Session, said: string | undefined): Promise<ExitName> {
  const { world, format, paint } = session;
  const interrupt = new AbortController();
  const stopListening = world.onInterrupt(() => interrupt.abort());
  const id = await findRollout(said, await openParts(session));
  let shown = '';
  try {
    for (;;) {
      const rollout = await read(session, id, interrupt.signal);
      const text = format === 'table' ? rolloutText(paint, rollout) : await renderEvent(format, rolloutDocument(rollout));
      if (text !== shown) world.stdout.write(text);
      shown = text;
      if (isAtRest(rollout.state)) return exitOf(rollout.state, []);
      await world.clock.sleep(WATCH_MS, interrupt.signal);
      if (interrupt.signal.aborted) return 'under-way';
    }
  } finally {
    stopListening();
  }
}

async function list(session: Session): Promise<ExitName> {
  const { world, format, paint } = session;
  const parts = await openParts(session);
  const { onNodes } = await rolloutsOnNodes(parts);
  const own = (await parts.journal.list()).filter(({ id }) => !onNodes.some((known) => known.id === id));
  const rollouts = [...onNodes, ...own].map(({ id, summary, ended, holder }) => ({ id, summary, ended, holder }));
  const rows = rollouts.map(({ id, summary, holder }) => [id, holder, summary]);
  world.stdout.write(
    format === 'table' ? table(paint, ['ROLLOUT', 'HELD BY', 'WHERE IT STANDS'], rows) : await renderDocument(format, { rollouts }),
  );
  return 'done';
}
