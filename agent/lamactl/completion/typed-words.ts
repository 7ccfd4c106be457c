// SPDX-License-Identifier: Apache-2.0

export interface TypedWords {
  /** The value of an option is a word of its own; the last one is being typed. */
  readonly words: readonly string[];
  /** What the shell holds for a part of the last word, so that every candidate has to begin with it. */
  readonly kept: string;
}

/** A command line as the shells hand it over: zsh and fish take "--node=attic" for one word, bash for three. */
export function typedWords(given: readonly string[]): TypedWords {
  const last = given.at(-1) ?? '';
  const words = given.flatMap((word, index) => (word === '=' ? (index === given.length - 1 ? [''] : []) : atEqualsSign(word)));
  return { words, kept: atEqualsSign(last).length === 2 ? last.slice(0, last.indexOf('=') + 1) : '' };
}

function atEqualsSign(word: string): readonly string[] {
  const parts = /^(--[\w-]+)=(.*)$/s.exec(word);
  return parts ? parts.slice(1) : [word];
}
