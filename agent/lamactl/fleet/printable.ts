// SPDX-License-Identifier: Apache-2.0

/** Control and format characters: escape sequences that drive a terminal, and marks that reorder or hide text. */
const UNPRINTABLE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text from a node, safe on a terminal. Lines and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNPRINTABLE, '\uFFFD');
}
