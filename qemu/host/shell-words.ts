// SPDX-License-Identifier: Apache-2.0

/** The text as one word of a POSIX shell's command line. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
