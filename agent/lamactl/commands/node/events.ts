// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import type { EventQuery, NodeEvent } from '../../node/node-event.ts';
import { eventText } from '../../output/event-text.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { count } from '../options.ts';
import { askAndPrint } from '../print-answers.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';
import { collect, merged } from '../streams.ts';
import { followNodes } from '../update/follow-nodes.ts';

export function addEvents(program: Command, run: Run): void {
  program
    .command('events')
    .summary('show what happened on the nodes, or follow it')
    .description(
      'Show what happened on each node, of several nodes in the order of time: boots, the phases of updates, checks that changed, certificates, restarts. With --follow, go on with each new event, through reboots, until Ctrl-C. A node keeps its newest events, about two thousand.',
    )
    .option('-f, --follow', 'go on with new events')
    .option('--since-cursor <cursor>', 'events after the one with this cursor', '')
    .option('--limit <count>', 'the newest so many of each node', count, 50)
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl events --all', 'the last 50 of each node'],
          ['lamactl events --all -f -o json', 'every event as it happens, a line of JSON each'],
        ],
        ['done', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: EventOptions, command: Command) => run(command, (session) => events(session, options)));
}

interface EventOptions {
  readonly follow?: true;
  readonly sinceCursor: string;
  readonly limit: number;
}

function events(session: Session, { follow, sinceCursor, limit }: EventOptions): Promise<ExitName> {
  const query: EventQuery = { afterCursor: sinceCursor, limit, follow: follow === true };
  if (query.follow) {
    return followNodes<NodeEvent>(session, {
      open: (node, cursor) => node.events({ ...query, afterCursor: cursor || sinceCursor }),
      document: (event) => ({ type: 'event', event }),
      text: (node, event) => eventText(session.paint, node, event),
    });
  }
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => collect(node.events(query)), {
    document: (events) => ({ events }),
    text: (answers) =>
      merged(answers)
        .map(({ node, item }) => eventText(session.paint, node, item))
        .join(''),
    exit: () => 'done',
  });
}
