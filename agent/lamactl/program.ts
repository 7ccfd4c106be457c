// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { Command, CommanderError, Help, Option } from 'commander';
import { Failure } from '../shared/failure.ts';
import { VERSION } from '../shared/version.ts';
import { COMMAND_GROUPS } from './commands/command-groups.ts';
import { allExitCodes } from './commands/help.ts';
import { duration } from './commands/options.ts';
import { outputOption } from './commands/output-option.ts';
import type { Run, Session } from './commands/session.ts';
import { EXIT_CODES, type ExitName, exitOfFailure } from './exit-code.ts';
import { painter } from './output/colour.ts';
import type { parseFormat } from './output/document.ts';
import { failureText } from './output/failure-text.ts';
import type { World } from './world.ts';

const ABOUT = `The administrator's command for LamaDist nodes.

A node that does not answer is unknown, never fine. An update is done only when its
node has booted it, found itself healthy, and committed it.`;

const AFTER = `
Contexts:
  Nodes and certificates are in $LAMACTL_CONFIG, or else in
  $XDG_CONFIG_HOME/lamactl/config.yaml (~/.config/lamactl/config.yaml):

    current-context: home
    contexts:
      home:
        ca: ca.pem                  # paths are relative to this file
        certificate: admin.pem
        key: admin.key              # readable by its owner alone
        nodes:
          attic: { address: 10.0.0.5 }         # port 7443
          cellar: { address: "cellar.lan:7443" }

Exit codes (with many nodes, the worst counts):
`;

/** Runs a command line (without the program's own name) and returns the exit code of the process. */
export async function lamactl(argv: readonly string[], world: World): Promise<number> {
  let exit: ExitName = 'done';
  const program = buildProgram(world, async (command, body) => {
    exit = await body(openSession(command, world));
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (thrown) {
    exit = thrown instanceof CommanderError ? exitOfParser(thrown) : exitOfThrown(thrown, world);
  }
  return EXIT_CODES[exit].code;
}

function buildProgram({ stdout, stderr }: World, run: Run): Command {
  const program = new Command('lamactl')
    .description(ABOUT)
    .version(VERSION, '-V, --version', 'print the version of lamactl')
    .helpOption('-h, --help', 'show this, or the help of a command')
    .addOption(
      new Option('-n, --node <name>', 'a node of the context; repeat it or separate names by commas')
        .argParser(collect)
        .default([], 'the only one'),
    )
    .addOption(new Option('--all', 'every node of the context'))
    .addOption(
      new Option('-l, --selector <labels>', 'nodes with these labels: role=k3s,site=attic (also key!=value, key, !key)')
        .argParser(collect)
        .default([], 'none'),
    )
    .addOption(
      new Option('--exclude <name>', 'not this node; repeat it or separate names by commas').argParser(collect).default([], 'none'),
    )
    .addOption(new Option('--context <name>', 'the context to use (default: the current-context of the file)'))
    .addOption(outputOption())
    .addOption(
      new Option(
        '--timeout <duration>',
        'the most that one call may take (default: 10s; 60s where the node runs checks or fetches, 150s where its TPM is asked)',
      ).argParser(duration),
    )
    .addHelpText('after', AFTER + allExitCodes())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, optionDescription })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(parserError(text)),
      getOutHelpWidth: () => stdout.columns,
      getErrHelpWidth: () => stderr.columns,
    });
  for (const [heading, commands] of COMMAND_GROUPS) {
    program.commandsGroup(heading);
    for (const add of commands) add(program, run);
  }
  program.helpCommand('help [command]', 'show the help of a command');
  pointToHelp(program, program.name());
  return program;
}

/** A default that is nothing says nothing, and neither does what an option means by itself, which its text tells. */
function optionDescription(this: Help, option: Option): string {
  return Help.prototype.optionDescription.call(this, option).replace(/ \((?:default: (?:\[\]|"")|preset: "[^"]*")\)$/, '');
}

/** What the parser says, in the voice of all else that lamactl says. */
function parserError(text: string): string {
  const said = text.replace(/^error: /, 'lamactl: ');
  return said.includes('too many arguments') ? `${said.trimEnd()} Nodes are named with --node.\n` : said;
}

/** After an error, each command points to its own help. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`Try "${path} --help".`);
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}

function collect(name: string, names: readonly string[]): readonly string[] {
  return [...names, name];
}

interface SharedOptions {
  readonly node: readonly string[];
  readonly all?: true;
  readonly selector: readonly string[];
  readonly exclude: readonly string[];
  readonly context?: string;
  readonly output: ReturnType<typeof parseFormat>;
  /** Milliseconds. */
  readonly timeout?: number;
}

function openSession(command: Command, world: World): Session {
  const { node, all, selector, exclude, context, output, timeout } = command.optsWithGlobals<SharedOptions>();
  return {
    world,
    format: output?.format ?? 'table',
    wide: output?.wide ?? false,
    paint: painter(world),
    ...(context === undefined ? {} : { context }),
    namesNodes: all === true || node.length > 0 || selector.length > 0,
    timeoutMs: (usualMs) => timeout ?? usualMs,
    targets: async () => {
      // YAML, certificates and gRPC: 80 ms that help and usage errors need not wait for.
      const { readTargets } = await import('./contexts/selection.ts');
      return readTargets({ context, nodes: node, all: all === true, selectors: selector, exclude }, world.env, world.homeDirectory);
    },
    targetsOf: async (names) => {
      const { readTargets } = await import('./contexts/selection.ts');
      const all = names === 'all';
      return readTargets({ context, nodes: all ? [] : names, all }, world.env, world.homeDirectory);
    },
    connectAsNow: async () => {
      const { contextFilePath, readContext } = await import('./contexts/context-file.ts');
      const { connectAsNow } = await import('./fleet/current-identity.ts');
      return connectAsNow(world.connect, await readContext(contextFilePath(world.env, world.homeDirectory), context));
    },
    identityAsNow: async () => {
      const { contextFilePath, readContext } = await import('./contexts/context-file.ts');
      const { identityAsNow } = await import('./fleet/current-identity.ts');
      return identityAsNow(await readContext(contextFilePath(world.env, world.homeDirectory), context));
    },
    rolloutFolder: async () => {
      const { contextFilePath, readContext } = await import('./contexts/context-file.ts');
      const file = contextFilePath(world.env, world.homeDirectory);
      return join(dirname(file), 'rollouts', (await readContext(file, context)).name);
    },
    expectations: async () => {
      const { openExpectationStore } = await import('./trust/expectation-store.ts');
      return openExpectationStore(context, world.env, world.homeDirectory);
    },
  };
}

function exitOfParser(error: CommanderError): ExitName {
  return error.exitCode === 0 ? 'done' : 'usage';
}

function exitOfThrown(thrown: unknown, { stderr }: World): ExitName {
  const failure = Failure.from(thrown);
  stderr.write(failureText('lamactl', failure));
  return exitOfFailure(failure);
}
