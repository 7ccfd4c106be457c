// SPDX-License-Identifier: Apache-2.0

/** Control and format characters: escape sequences that drive a terminal, and marks that reorder or hide text. */
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text from a node, safe on a terminal. Lines and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNPRINTABLE, '\uFFFD');
}

/** Text as one line of a table or a sentence. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
