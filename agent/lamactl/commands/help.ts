// SPDX-License-Identifier: Apache-2.0
import { EXIT_CODES, type ExitName } from '../exit-code.ts';

/** What follows the options in a command's help: examples, and the exit codes that it can end with. */
export function helpAfter(examples: readonly (readonly [line: string, meaning: string])[], exits: readonly ExitName[]): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  const exampleLines = examples.map(([line, meaning]) => `  $ ${line.padEnd(width)}  # ${meaning}`);
  return ['', 'Examples:', ...exampleLines, '', 'Exit codes:', exitCodes(exits)].join('\n');
}

/** Every exit code. */
export function allExitCodes(): string {
  return exitCodes(Object.keys(EXIT_CODES) as ExitName[]);
}

function exitCodes(names: readonly ExitName[]): string {
  return names
    .map((name) => ({ name, ...EXIT_CODES[name] }))
    .sort((a, b) => a.code - b.code)
    .map(({ code, name, meaning }) => `  ${String(code).padStart(2)} ${name.padEnd(17)}  ${meaning}`)
    .join('\n');
}

/** The exits of every command that asks a node. */
export const NODE_EXITS = [
  'unknown',
  'unauthenticated',
  'permission-denied',
  'configuration',
  'usage',
] as const satisfies readonly ExitName[];
