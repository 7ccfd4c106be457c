// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run } from '../session.ts';
import { orderUpdate } from './update-order.ts';

export function addResume(program: Command, run: Run): void {
  program
    .command('resume')
    .summary('let a paused update go on')
    .description('Let the paused update of each node go on where it was held; in its window, where it has one.')
    .addHelpText('after', helpAfter([['lamactl resume -n attic', 'let it go on']], ['done', 'not-found', 'refused', ...NODE_EXITS]))
    .action((_options: unknown, command: Command) => run(command, (session) => orderUpdate(session, 'goes on', (node) => node.resume())));
}
