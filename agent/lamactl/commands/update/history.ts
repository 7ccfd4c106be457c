// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import type { Update } from '../../node/node-update.ts';
import type { Paint } from '../../output/colour.ts';
import { fetchedText } from '../../output/fetched-text.ts';
import { logText } from '../../output/log-text.ts';
import { type Cell, table } from '../../output/table.ts';
import { localTime } from '../../output/time.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { count } from '../options.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';

export function addHistory(program: Command, run: Run): void {
  program
    .command('history')
    .summary('show the updates that ended, and why')
    .description(
      'Show the updates that ended on each node, newest first: what was installed, who asked, how it ended, and why it did not stay.',
    )
    .option('--limit <count>', 'show at most so many updates of each node', count, 20)
    .option('--log', "print the end of the failed boot's log below, where that boot left one")
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl history -n attic', 'the last 20 updates'],
          ['lamactl history -n attic --limit 1 --log', 'the last one, with the log of its failed boot'],
          ['lamactl history --all -o json', 'everything, for a program'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((options: HistoryOptions, command: Command) => run(command, (session) => history(session, options)));
}

interface HistoryOptions {
  readonly limit: number;
  readonly log?: true;
}

function history(session: Session, { limit, log }: HistoryOptions): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => node.updates(limit), {
    document: (updates) => ({ updates }),
    text: (answers) => {
      const ended = given(answers).flatMap(({ node, value }) => value.map((update) => ({ node, update })));
      const rows = ended.map(({ node, update }) => row(node, update));
      const headings = ['NODE', 'ENDED', 'VERSION', 'RESULT', 'SLOT', 'FETCHED', 'BY', 'REASON'];
      return (
        table(session.paint, headings, rows) +
        (log ? ended.map(({ node, update }) => failedBoot(session.paint, node, update)).join('') : '')
      );
    },
    exit: () => 'done',
  });
}

function row(node: string, update: Update): readonly Cell[] {
  const { reason, bundle, phase } = update;
  const result: Cell = { text: phase, style: phase === 'committed' ? 'good' : 'bad' };
  return [
    node,
    localTime(update.phaseChanges.at(-1)?.at),
    bundle?.version ?? '',
    result,
    update.targetSlot,
    fetchedText(update),
    update.requestedBy,
    reason ? `${reason.message} (${reason.code})` : '',
  ];
}

function failedBoot(paint: Paint, node: string, update: Update): string {
  if (update.failedBootLog === '') return '';
  const heading = paint('heading', `${node}: log of the failed boot of ${update.bundle?.version || update.operationId}`);
  return `\n${heading}\n${logText(update.failedBootLog)}`;
}
