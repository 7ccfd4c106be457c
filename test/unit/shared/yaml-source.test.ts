// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { readYaml } from '../../../agent/shared/yaml-source.ts';

function problemsOf(text: string) {
  const source = readYaml(text);
  return source.type === 'unreadable' ? source.problems : [];
}

function lineOf(text: string, ...path: (string | number)[]): number {
  const source = readYaml(text);
  if (source.type === 'unreadable') throw new Error('unreadable');
  return source.lineOf(path);
}

test('reads plain maps, lists and scalars', () => {
  expect(readYaml('a: 1\nb: [x, "2", true]\nc:\n  d: text\n')).toMatchObject({
    type: 'value',
    value: { a: 1, b: ['x', '2', true], c: { d: 'text' } },
  });
});

describe('knows the line', () => {
  const text = '# a comment\na: 1\nb:\n  - x\n  -\n    c: 3\n';

  test('of a field', () => expect(lineOf(text, 'b')).toBe(3));
  test('of an item of a list', () => expect(lineOf(text, 'b', 0)).toBe(4));
  test('of a field within an item', () => expect(lineOf(text, 'b', 1, 'c')).toBe(6));
  test('of the map that lacks a field', () => expect(lineOf(text, 'b', 1, 'missing')).toBe(6));
  test('of a document that lacks everything', () => expect(lineOf('', 'a')).toBe(1));
});

describe('refuses', () => {
  test('a field that is given twice', () => {
    expect(problemsOf('a: 1\nb:\n  c: 1\n  c: 2\n')).toEqual([{ line: 4, path: ['b', 'c'], message: 'given twice: keep one of the two' }]);
  });

  test('anchors and aliases, and so every bomb that is made of them', () => {
    const found = problemsOf('a: &x [1]\nb: [*x, *x]\n');
    expect(found.map(({ line }) => line)).toEqual([1, 2, 2]);
    expect(found[1]?.message).toContain('alias "*x" is not allowed');
  });

  test.each(['a: !!str 5', 'a: !secret x', 'a: !!binary aGk=', '!!map {a: 1}', 'a: !<tag:yaml.org,2002:int> 7'])(
    'the tag in %s',
    (text) => {
      expect(problemsOf(text)[0]?.message).toContain('is not allowed: remove it');
    },
  );

  test('merge keys, even where another YAML version would know them', () => {
    expect(readYaml('<<: {a: 1}\n')).toMatchObject({ value: { '<<': { a: 1 } } });
    expect(problemsOf('%YAML 1.1\n---\na: &x {b: 1}\nc: {<<: *x}\n')).not.toEqual([]);
  });

  test('more than one document', () => {
    expect(problemsOf('a: 1\n---\nb: 2\n')[0]).toMatchObject({ line: 2 });
  });

  test('keys that are no text', () => {
    expect(problemsOf('? [a]\n: 1\n')).not.toEqual([]);
  });

  test('tabs, open brackets and other broken syntax, with the line and the field', () => {
    expect(problemsOf('a:\n\tb: 1\n')[0]).toMatchObject({ line: 2, path: ['a'] });
    expect(problemsOf('a: 1\nb:\n  - c: [1, 2\n')[0]).toMatchObject({ path: ['b', 0, 'c', 1] });
  });

  test.each([
    ['flow lists', '['.repeat(30_000)],
    ['block lists', '- '.repeat(30_000)],
    ['flow maps', '{a: '.repeat(15_000)],
    ['explicit keys', '? '.repeat(30_000)],
  ])('nesting that would exhaust the stack and with it the process: %s', (_, text) => {
    expect(problemsOf(text)).toEqual([{ line: 1, path: [], message: 'nested far too deep: flatten it' }]);
  });
});

test('a field named like a part of JavaScript is only a field', () => {
  const source = readYaml('__proto__: {polluted: true}\n');
  expect(source.type === 'value' && Object.keys(source.value as object)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
