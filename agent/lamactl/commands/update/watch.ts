// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { waitOption } from '../options.ts';
import type { Run } from '../session.ts';
import { followUpdates } from './follow-updates.ts';

export function addWatch(program: Command, run: Run): void {
  program
    .command('watch')
    .summary('watch the update that is under way')
    .description('Watch the update that is under way on each node, or see how the last one ended. Ctrl-C leaves the update running.')
    .option('--operation <id>', 'watch this update instead')
    .addOption(waitOption())
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl watch -n attic', 'until it is committed or rolled back'],
          ['lamactl watch --all -o json', 'every event, a line of JSON each'],
        ],
        ['done', 'under-way', 'rolled-back', 'update-failed', 'not-found', 'deadline', ...NODE_EXITS],
      ),
    )
    .action((options: WatchOptions, command: Command) => {
      const plan = { operationId: options.operation ?? '', goal: 'committed', leaveManualReboot: false, waitMs: options.wait } as const;
      return run(command, (session) => followUpdates(session, plan));
    });
}

interface WatchOptions {
  readonly operation?: string;
  /** Milliseconds. */
  readonly wait: number;
}
