// SPDX-License-Identifier: Apache-2.0
import { EXIT_CODES, type ExitName } from '../exit-code.ts';

/** Fits into a terminal of 80 columns, below the margin of a manual page. */
const EXAMPLE_COLUMNS = 72;

/** What follows the options in a command's help: examples, and the exit codes that it can end with. */
export function helpAfter(examples: readonly (readonly [line: string, meaning: string])[], exits: readonly ExitName[]): string {
  return ['', 'Examples:', ...exampleLines(examples), '', 'Exit codes:', exitCodes(exits)].join('\n');
}

/** Each with its meaning behind it, or with all meanings above where that would be too wide. */
function exampleLines(examples: readonly (readonly [line: string, meaning: string])[]): readonly string[] {
  const width = Math.max(...examples.map(([line]) => line.length));
  const beside = examples.map(([line, meaning]) => `  $ ${line.padEnd(width)}  # ${meaning}`);
  if (beside.every((line) => line.length <= EXAMPLE_COLUMNS)) return beside;
  return examples.flatMap(([line, meaning]) => [...folded(meaning, '  # ', '  # '), ...folded(line, '  $ ', '      ', ' \\')]);
}

/** Breaks between words, never within quotes. */
function folded(text: string, first: string, further: string, end = ''): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.match(/(?:[^\s"']|"[^"]*"|'[^']*'|["'])+/g) ?? []) {
    if (!empty && line.length + 1 + word.length + end.length > EXAMPLE_COLUMNS) {
      lines.push(line + end);
      line = further;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
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
