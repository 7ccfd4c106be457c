// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run } from '../session.ts';
import { orderUpdate } from './update-order.ts';

export function addPause(program: Command, run: Run): void {
  program
    .command('pause')
    .summary('hold the update that is under way')
    .description(
      'Hold the update that is under way on each node, before its point of no return: the activation of the slot. A slot that is being written is written to its end, and held there.',
    )
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl pause -n attic', 'hold it'],
          ['lamactl resume -n attic', 'and let it go on'],
        ],
        ['done', 'not-found', 'refused', ...NODE_EXITS],
      ),
    )
    .action((_options: unknown, command: Command) =>
      run(command, (session) => orderUpdate(session, 'is paused, or will be once the slot is written', (node) => node.pause())),
    );
}
