// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { facts, table } from '../../../../agent/lamactl/output/table.ts';

const plain = (_style: string, text: string) => text;

describe('a table', () => {
  it('is as wide as its widest cells and leaves no blanks at the end of a line', () => {
    expect(
      table(
        plain,
        ['NODE', 'STATE'],
        [
          ['a', 'healthy'],
          ['cellar', ''],
        ],
      ),
    ).toBe('NODE    STATE\na       healthy\ncellar\n');
  });

  it('keeps a cell on its line', () => {
    expect(table(plain, ['A', 'B'], [['one\ntwo', '3']])).toBe('A        B\none two  3\n');
  });

  it('colours a cell without moving its column', () => {
    const paint = (style: string, text: string) => (style === 'good' ? `<${text}>` : text);
    expect(table(paint, ['A', 'B'], [[{ text: 'x', style: 'good' }, 'y']])).toBe('A  B\n<x>  y\n');
  });

  it('of facts leaves out those without a value', () => {
    expect(
      facts(plain, [
        ['Node', 'attic'],
        ['Build', ''],
        ['Version', '1'],
      ]),
    ).toBe('Node     attic\nVersion  1\n');
  });
});
