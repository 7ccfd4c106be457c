// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { helpAfter, NODE_EXITS } from '../help.ts';
import type { Run } from '../session.ts';
import { addCancel } from './cancel.ts';
import { addPause } from './pause.ts';
import { addResume } from './resume.ts';

/** The same three commands as without the word before them, for whoever looks for them here. */
export function addUpdates(program: Command, run: Run): void {
  const updates = program
    .command('updates')
    .summary('hold, let go on, or cancel the updates of nodes')
    .description('Hold the update that is under way on each node, let it go on, or cancel it: the commands pause, resume and cancel.')
    .addHelpText(
      'after',
      helpAfter(
        [['lamactl updates pause -n attic', 'hold it; also one that waits for its window']],
        ['done', 'not-found', 'refused', ...NODE_EXITS],
      ),
    );
  for (const add of [addPause, addResume, addCancel]) add(updates, run);
}
