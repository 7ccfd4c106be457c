// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../agent/shared/config-file.ts';

const Schema = v.strictObject({
  nodes: v.optional(v.record(v.string(), v.strictObject({ address: v.string(), port: v.optional(v.number('must be a port')) })), {}),
  even: v.optional(
    v.pipe(
      v.number(),
      v.check((number) => number % 2 === 0, 'must be even'),
    ),
    2,
  ),
});
const parse = (text: string) => parseConfig(Schema, text, '/etc/x.yaml');

describe('a configuration file', () => {
  it('is as good as empty without a word in it', () => {
    expect(parse('')).toEqual({ nodes: {}, even: 2 });
    expect(parse('# a comment\n---\n')).toEqual({ nodes: {}, even: 2 });
  });

  it('gives what its schema makes of it', () => {
    expect(parse('nodes: { attic: { address: "10.0.0.5" } }\neven: 4')).toEqual({ nodes: { attic: { address: '10.0.0.5' } }, even: 4 });
  });

  it.each([
    ['evn: 2', 1, 'evn', '"evn" is not a known field: write "even"'],
    ['x: 2', 1, 'x', '"x" is not a known field: use one of nodes, even'],
    ['nodes:\n  attic:\n    adress: a', 2, 'nodes.attic.address', '"nodes.attic.address" is missing: add it'],
    ['nodes:\n  attic:\n    address: a\n    prot: 1', 4, 'nodes.attic.prot', '"nodes.attic.prot" is not a known field: write "port"'],
    ['nodes:\n  attic: { address: a, port: x }', 2, 'nodes.attic.port', '"nodes.attic.port" must be a port'],
    ['\neven: 3', 2, 'even', '"even" must be even'],
    ['even: [2]', 1, 'even', '"even" must be number, not Array'],
    ['nodes: 7', 1, 'nodes', '"nodes" must be a mapping, not 7'],
    ['7', 1, '', 'must be a mapping, not 7'],
    ['even: 2\neven: 4', 2, 'even', '"even" is given twice: keep one of the two'],
    ['a: &x 1\nb: *x', 1, 'a', 'anchor'],
  ])('with %j is refused', (text, line, field, words) => {
    const facts = { file: '/etc/x.yaml', line: `${line}`, field };
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', facts }));
    expect(() => parse(text)).toThrow(`Cannot use /etc/x.yaml: line ${line}: `);
    expect(() => parse(text)).toThrow(words);
  });
});
