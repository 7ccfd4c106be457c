// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { formatSize } from '../../../shared/size.ts';
import type { ExitName } from '../../exit-code.ts';
import { table } from '../../output/table.ts';
import { helpAfter, NODE_EXITS } from '../help.ts';
import { askAndPrint, given } from '../print-answers.ts';
import { type Run, type Session, USUAL_TIMEOUT_MS } from '../session.ts';

export function addBundles(program: Command, run: Run): void {
  program
    .command('bundles')
    .summary('list bundles on removable media')
    .description('List the *.raucb files on the removable media of each node. They wait: none is installed before you say so.')
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl bundles -n attic', 'what is on the stick'],
          ['lamactl install -n attic --on-node /run/lamadist-media/sdb1/v2.raucb', 'install it'],
        ],
        ['done', ...NODE_EXITS],
      ),
    )
    .action((_options: unknown, command: Command) => run(command, bundles));
}

function bundles(session: Session): Promise<ExitName> {
  return askAndPrint(session, session.timeoutMs(USUAL_TIMEOUT_MS), (node) => node.mediaBundles(), {
    document: (found) => ({ bundles: found }),
    text: (answers) => {
      const rows = given(answers).flatMap(({ node, value }) =>
        value.map(({ path, sizeBytes, modifiedAt }) => [node, path, formatSize(sizeBytes), modifiedAt ?? '']),
      );
      return rows.length === 0 ? 'No bundle is on removable media.\n' : table(session.paint, ['NODE', 'BUNDLE', 'SIZE', 'MODIFIED'], rows);
    },
    exit: () => 'done',
  });
}
