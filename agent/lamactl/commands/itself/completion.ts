// SPDX-License-Identifier: Apache-2.0
import { Argument, type Command } from 'commander';
import { candidates } from '../../completion/candidates.ts';
import { SCRIPTS, SHELLS, type Shell } from '../../completion/scripts.ts';
import { typedWords } from '../../completion/typed-words.ts';
import { helpAfter } from '../help.ts';
import type { Run, Session } from '../session.ts';

export function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .summary('print a script that completes commands, options and node names')
    .description(
      'Print a script for a shell, which then completes the commands and options of lamactl and the names of your nodes and contexts.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText(
      'after',
      helpAfter(
        [
          ['lamactl completion bash > ~/.local/share/bash-completion/completions/lamactl', 'for every later bash'],
          ['lamactl completion zsh > "$fpath[1]/_lamactl"', 'for every later zsh'],
          ['lamactl completion fish > ~/.config/fish/completions/lamactl.fish', 'for every later fish'],
        ],
        ['done', 'usage'],
      ),
    )
    .action((shell: Shell, _options: unknown, command: Command) =>
      run(command, async ({ world }) => {
        world.stdout.write(SCRIPTS[shell]);
        return 'done';
      }),
    );
  // What those scripts ask; no person types it.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action((words: readonly string[], _options: unknown, command: Command) =>
      run(command, (session) => complete(program, session, words)),
    );
}

async function complete(program: Command, { world }: Session, given: readonly string[]) {
  const { readNames } = await import('../../contexts/context-file.ts');
  const typed = typedWords(given);
  const names = await readNames(world.env, world.homeDirectory, contextIn(typed.words));
  const lines = candidates(program, typed, names).map(({ word, meaning }) => `${word}\t${meaning.replaceAll(/\s+/g, ' ')}\n`);
  world.stdout.write(lines.join(''));
  return 'done' as const;
}

function contextIn(words: readonly string[]): string | undefined {
  const index = words.indexOf('--context');
  return index < 0 || index + 1 >= words.length - 1 ? undefined : words[index + 1];
}
