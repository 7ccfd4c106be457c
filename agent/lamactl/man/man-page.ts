// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';
import type { Command, Help } from 'commander';

/** A page of man(7) for lamactl or one of its commands, out of what its help says. */
export function manPage(command: Command, version: string, date: Date): string {
  const help = command.createHelp();
  const name = pageName(command);
  const summary = command.summary() || 'manage LamaDist nodes';
  return [
    '.\\" SPDX-License-Identifier: Apache-2.0',
    `.TH ${name.toUpperCase()} 1 "${date.toISOString().slice(0, 10)}" "lamactl ${version}" "LamaDist"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(summary)}`,
    '.SH SYNOPSIS',
    `.B ${escaped(help.commandUsage(command))}`,
    '.SH DESCRIPTION',
    ...paragraphs(command.description()),
    ...listed('ARGUMENTS', help.visibleArguments(command), (each) => [each.name(), help.argumentDescription(each)]),
    ...listed('COMMANDS', visibleCommands(help, command), (each) => [each.name(), each.summary()]),
    ...listed('OPTIONS', help.visibleOptions(command), (each) => [each.flags, help.optionDescription(each)]),
    ...listed('GLOBAL OPTIONS', globalOptions(help, command), (each) => [each.flags, help.optionDescription(each)]),
    ...afterwards(command),
    ...seeAlso(help, command),
    '',
  ].join('\n');
}

/** Every page: the command's name in the file system, and the command. */
export function manPages(program: Command): readonly { readonly name: string; readonly command: Command }[] {
  const help = program.createHelp();
  const below = (command: Command): Command[] => [command, ...visibleCommands(help, command).flatMap(below)];
  return below(program).map((command) => ({ name: pageName(command), command }));
}

const visibleCommands = (help: Help, command: Command): Command[] => help.visibleCommands(command).filter((each) => each.name() !== 'help');

const globalOptions = (help: Help, command: Command) => {
  const own = new Set(help.visibleOptions(command).map(({ flags }) => flags));
  return command.parent ? help.visibleGlobalOptions(command).filter(({ flags }) => !own.has(flags)) : [];
};

/** lamactl-attest-run(1), as git names its pages. */
function pageName(command: Command): string {
  return command.parent ? `${pageName(command.parent)}-${command.name()}` : command.name();
}

function listed<T>(heading: string, all: readonly T[], describe: (one: T) => readonly [term: string, meaning: string]): string[] {
  if (all.length === 0) return [];
  return [`.SH ${heading}`, ...all.map(describe).flatMap(([term, meaning]) => ['.TP', `.B ${escaped(term)}`, escaped(meaning)])];
}

function paragraphs(text: string): string[] {
  return text.split(/\n\n+/).flatMap((paragraph, index) => [...(index === 0 ? [] : ['.PP']), escaped(paragraph.replaceAll('\n', ' '))]);
}

/** What help shows below the options: examples and exit codes. */
function afterwards(command: Command): string[] {
  const parts: string[] = [];
  // commander's commands are emitters, which its types leave out.
  const emitter = command as unknown as EventEmitter;
  emitter.emit('afterHelp', { error: false, command, write: (part: string) => parts.push(part) });
  return sections(parts.join('')).flatMap(({ heading, lines }) => [`.SH ${escaped(heading.toUpperCase())}`, ...body(lines)]);
}

interface Section {
  readonly heading: string;
  readonly lines: string[];
}

/** A line without an indent that ends in a colon is a heading. */
function sections(text: string): readonly Section[] {
  const all: Section[] = [];
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const heading = /^(\S.*):$/.exec(line)?.[1];
    if (heading) all.push({ heading: heading.replace(/ \(.*/, ''), lines: [] });
    else all.at(-1)?.lines.push(line);
  }
  return all;
}

/** Exit codes as a list, whose meanings the reader's terminal breaks; all else as it is. */
function body(lines: readonly string[]): readonly string[] {
  const codes = lines.map((line) => /^ *(\d+ [a-z-]+) +(.+)$/.exec(line));
  if (!codes.every((code) => code !== null)) return ['.EX', ...lines.map(escaped), '.EE'];
  return codes.flatMap(([, code = '', meaning = '']) => ['.TP', `.B ${escaped(code)}`, escaped(meaning)]);
}

function seeAlso(help: Help, command: Command): string[] {
  const others = [...(command.parent ? [command.parent] : []), ...visibleCommands(help, command)].map(pageName);
  if (others.length === 0) return [];
  return ['.SH SEE ALSO', ...others.map((name, index) => `.BR ${escaped(name)} (1)${index < others.length - 1 ? ' ,' : ''}`)];
}

/** groff_char(7): a hyphen that can be copied, backslashes, and no line that begins as a request does. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll('“', '\\(lq')
    .replaceAll('…', '...')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replace(/^\./gm, '\\&.');
}
