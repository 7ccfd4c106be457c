// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import type { TypedWords } from './typed-words.ts';

export interface Candidate {
  readonly word: string;
  readonly meaning: string;
}

/** What a word may be that only this administrator's files tell. */
export interface KnownNames {
  readonly nodes: readonly string[];
  readonly contexts: readonly string[];
}

/**
 * What the last of these words may become, by the very tree that will parse it. None where any file or text may stand: the
 * shell then offers files.
 */
export function candidates(program: Command, { words, kept }: TypedWords, names: KnownNames): readonly Candidate[] {
  const last = words.at(-1) ?? '';
  const earlier = words.slice(0, -1);
  const command = commandOf(program, earlier);
  const options = [...command.options, ...(command === program ? [] : program.options)].filter(({ hidden }) => !hidden);
  const takesValue = options.find((option) => named(option, earlier.at(-1) ?? '') && wantsValue(option));
  if (takesValue) return valuesOf(takesValue, last, names).map(({ word, meaning }) => ({ word: kept + word, meaning }));
  if (last.startsWith('-')) return starting(last, options.map(asCandidate));
  const commands = command.commands.filter((each) => each.name() !== 'help' && !isHidden(each));
  return starting(
    last,
    commands.map((each) => ({ word: each.name(), meaning: each.summary() })),
  );
}

/** The innermost command that these words name. */
function commandOf(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const [index, word] of words.entries()) {
    const before = words[index - 1] ?? '';
    const isValue = [...command.options, ...program.options].some((option) => named(option, before) && wantsValue(option));
    if (!isValue) command = command.commands.find((each) => each.name() === word && !isHidden(each)) ?? command;
  }
  return command;
}

/** commander keeps it to itself whether a command is shown in help. */
const isHidden = (command: Command): boolean => (command as unknown as { _hidden?: boolean })._hidden === true;

const named = ({ short, long }: Option, word: string): boolean => word !== '' && (word === short || word === long);
const wantsValue = ({ required, optional }: Option): boolean => required || optional;
const asCandidate = ({ long, short, description }: Option): Candidate => ({ word: long ?? short ?? '', meaning: description });
const starting = (start: string, all: readonly Candidate[]): Candidate[] => all.filter(({ word }) => word.startsWith(start));

function valuesOf(option: Option, last: string, { nodes, contexts }: KnownNames): readonly Candidate[] {
  if (option.long === '--node') {
    // A list in one word: what stands before its last comma stays.
    const given = last.slice(0, last.lastIndexOf(',') + 1);
    const others = nodes.filter((node) => !given.split(',').includes(node));
    return starting(
      last,
      others.map((node) => ({ word: given + node, meaning: 'node' })),
    );
  }
  const values = option.long === '--context' ? contexts : (option.argChoices ?? []);
  return starting(
    last,
    values.map((word) => ({ word, meaning: option.long === '--context' ? 'context' : '' })),
  );
}
