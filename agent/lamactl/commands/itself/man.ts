// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../../../shared/failure.ts';
import { VERSION } from '../../../shared/version.ts';
import { makeFolder } from '../../make-folder.ts';
import { manPage, manPages } from '../../man/man-page.ts';
import type { World } from '../../world.ts';
import { helpAfter } from '../help.ts';
import type { Run } from '../session.ts';

export function addMan(program: Command, run: Run): void {
  program
    .command('man')
    .summary('write the manual pages')
    .description('Write the manual pages of lamactl and its commands into a folder, one file for each.')
    .requiredOption('--folder <folder>', 'where to; it is made')
    .addHelpText(
      'after',
      helpAfter([['lamactl man --folder ~/.local/share/man/man1', 'then: man lamactl-install']], ['done', 'configuration', 'usage']),
    )
    .action(({ folder }: { readonly folder: string }, command: Command) =>
      run(command, async ({ world }) => {
        await writePages(program, folder, dateOf(world));
        return 'done';
      }),
    );
}

/** The same source gives the same pages: reproducible-builds.org, SOURCE_DATE_EPOCH. */
function dateOf({ env, clock }: World): Date {
  const epochSeconds = Number(env.SOURCE_DATE_EPOCH || Number.NaN);
  return new Date(Number.isFinite(epochSeconds) ? epochSeconds * 1000 : clock.now());
}

async function writePages(program: Command, folder: string, date: Date): Promise<void> {
  try {
    await makeFolder(folder);
    for (const { name, command } of manPages(program)) await writeFile(join(folder, `${name}.1`), manPage(command, VERSION, date));
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot write the manual pages to ${folder}: ${(error as Error).message}`, {}, { cause: error });
  }
}
