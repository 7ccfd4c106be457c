// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { ExitName } from '../../exit-code.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { waitOption } from '../options.ts';
import type { Run, Session } from '../session.ts';
import { followUpdates } from './follow-updates.ts';

export function addRollback(program: Command, run: Run): void {
  program
    .command('rollback')
    .summary('give up an update, or boot the other slot again')
    .description('Give up the update that is under way, or boot the other slot again after a commit; and watch it to its end.')
    .option('--message <text>', 'why, for the history', '')
    .addOption(waitOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl rollback -n attic', 'back to what it ran before'],
          ['lamactl rollback -n attic --message "fans too loud"', 'and say why'],
        ],
        ['done', 'under-way', 'update-failed', 'refused', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: RollbackOptions, command: Command) => run(command, (session) => rollback(session, options)));
}

interface RollbackOptions {
  readonly message: string;
  /** Milliseconds. */
  readonly wait: number;
}

function rollback(session: Session, { message, wait }: RollbackOptions): Promise<ExitName> {
  return followUpdates(session, { begin: (node) => node.rollBack(message), goal: 'rolled-back', leaveManualReboot: false, waitMs: wait });
}
