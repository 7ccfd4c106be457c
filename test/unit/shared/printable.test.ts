// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../../agent/shared/printable.ts';

describe('text from a node', () => {
  it.each([
    ['an escape sequence', '\x1b[2J', '\uFFFD[2J'],
    ['a C1 control', 'a\x9bm', 'a\uFFFDm'],
    ['a carriage return that would hide what came before', 'bad\rgood', 'bad\uFFFDgood'],
    ['a mark that reverses what follows', 'a\u202Eb', 'a\uFFFDb'],
    ['the lines of a log', 'one\r\ntwo\n\tthree', 'one\ntwo\n\tthree'],
    ['letters of any script', 'Küche 厨房 🍳', 'Küche 厨房 🍳'],
  ])('%s', (_what, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('never holds a control character but line feed and tab', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[^\P{Cc}\n\t]/u.test(printable(text))));
  });
});
