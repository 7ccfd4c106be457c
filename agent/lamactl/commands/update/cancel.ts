// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run } from '../session.ts';
import { orderUpdate } from './update-order.ts';

export function addCancel(program: Command, run: Run): void {
  program
    .command('cancel')
    .summary('give up the update that is under way')
    .description(
      'Give up the update that is under way on each node, before its point of no return: the activation of the slot. After it, "lamactl rollback" leads back.',
    )
    .option('--message <text>', 'why, for the history', '')
    .addHelpText(
      'after',
      helpAfter(
        [['lamactl cancel -n attic --message "not this week"', 'give it up, and say why']],
        ['done', 'not-found', 'refused', ...NODE_EXITS],
      ),
    )
    .action(({ message }: { readonly message: string }, command: Command) =>
      run(command, (session) => orderUpdate(session, 'is cancelled', (node) => node.cancel(message))),
    );
}
