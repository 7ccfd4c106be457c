// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../../../agent/lamactl/output/jsonpath/render.ts';
import { parseTemplate } from '../../../../../agent/lamactl/output/jsonpath/template.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';

const DOCUMENT = {
  nodes: [
    {
      node: 'attic',
      'a key': 1,
      healthy: true,
      slots: [
        { name: 'rootfs.0', size: 10 },
        { name: 'rootfs.1', size: 20 },
      ],
    },
    { node: 'cellar', healthy: false, slots: [{ name: 'rootfs.0', size: 30 }] },
  ],
};

const show = (template: string): string => renderTemplate(parseTemplate(template), DOCUMENT);

describe('a JSONPath template', () => {
  it.each([
    ['{.nodes[0].node}', 'attic'],
    ['.nodes[0].node', 'attic'],
    ['{$.nodes[0].node}', 'attic'],
    ['{.nodes[-1].node}', 'cellar'],
    ['{.nodes[*].node}', 'attic cellar'],
    ['{.nodes[:1].node}', 'attic'],
    ['{.nodes[1:].node}', 'cellar'],
    ["{.nodes[0]['a key']}", '1'],
    ['{..name}', 'rootfs.0 rootfs.1 rootfs.0'],
    ['{.nodes[*].slots[0].size}', '10 30'],
    ['{.nodes[0].slots[1]}', '{"name":"rootfs.1","size":20}'],
    ['{.nodes[?(@.healthy==true)].node}', 'attic'],
    ['{.nodes[?(@.healthy)].node}', 'attic'],
    ['{.nodes[?(@.node!="attic")].node}', 'cellar'],
    ["{.nodes[*].slots[?(@.name=='rootfs.1')].size}", '20'],
    ['{.nodes[*].slots[?(@.size>=20)].size}', '20 30'],
    ['{.nodes[*].slots[?(@.size<20)].size}', '10'],
    ['{.nodes[*].slots[?(@.size<"20")].size}', ''],
    ['Node: {.nodes[0].node}{"\\n"}', 'Node: attic\n'],
    ['{range .nodes[*]}{.node}{"\\t"}{.healthy}{"\\n"}{end}', 'attic\ttrue\ncellar\tfalse\n'],
    ['{range .nodes}{.node} {end}', 'attic cellar '],
    ['{range .nodes[*]}{.node}:{range .slots[*]} {.size}{end}{"\\n"}{end}', 'attic: 10 20\ncellar: 30\n'],
    ['{.nothing.at.all}', ''],
    ['{.nodes[9].node}', ''],
    ['{"{braces}"}', '{braces}'],
  ])('%s shows %j', (template, shown) => {
    expect(show(template)).toBe(shown);
  });

  it.each(['{.constructor}', '{.nodes.length}', '{.nodes[0].node.length}', '{.__proto__}', '{..constructor}', '{.nodes[0].toString}'])(
    '%s reaches nothing but the document',
    (template) => {
      expect(show(template)).toBe('');
    },
  );

  it.each([
    ['{.nodes', 'a brace is not closed'],
    ['{range .nodes[*]}{.node}', 'a "range" has no "end"'],
    ['{end}', '"end" without a "range"'],
    ['{.nodes[x]}', 'is no step of a path'],
    ['{.nodes[?(@.node==attic)]}', 'is no value to compare with'],
    ['{process.exit()}', 'is no step of a path'],
  ])('%s is refused: %s', (template, why) => {
    expect(() => show(template)).toThrow(why);
  });

  it('may be any text at all, and is read or refused', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '.nodes',
      '*',
      '"',
      "'",
      '?(',
      ')',
      '@',
      '..',
      'range ',
      'end',
      '==',
      '0',
      ':',
      '\\',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        try {
          show(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
