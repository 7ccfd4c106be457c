// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';

/** One step from values to values within them. */
export type PathStep =
  | { readonly type: 'child'; readonly name: string }
  | { readonly type: 'descendant'; readonly name: string }
  | { readonly type: 'every' }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'slice'; readonly start: number; readonly end: number | undefined }
  | { readonly type: 'filter'; readonly path: readonly PathStep[]; readonly operator: Operator | undefined; readonly value: unknown };

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const;
export type Operator = (typeof OPERATORS)[number];

export type TemplatePart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'path'; readonly path: readonly PathStep[] }
  | { readonly type: 'range'; readonly path: readonly PathStep[]; readonly parts: readonly TemplatePart[] };

/**
 * Reads a template as kubectl has them (its "JSONPath support"): text, and in braces a path, a quoted text, or range … end. A
 * path alone needs no braces. There is no way to run anything: no function, no script, no arithmetic. Throws INVALID_REQUEST.
 */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const text = template.includes('{') ? template : `{${template}}`;
  const open: { path: readonly PathStep[]; parts: TemplatePart[] }[] = [{ path: [], parts: [] }];
  const add = (part: TemplatePart): void => void open.at(-1)?.parts.push(part);
  for (const [, plain, braced] of text.matchAll(/([^{]+)|\{((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^}"'])*)\}|\{/g)) {
    if (plain !== undefined) {
      add({ type: 'text', text: plain });
      continue;
    }
    if (braced === undefined) throw wrong('a brace is not closed');
    const content = braced.trim();
    if (content === 'end') {
      const ended = open.pop();
      if (!ended || open.length === 0) throw wrong('"end" without a "range"');
      add({ type: 'range', ...ended });
    } else if (/^range\s/.test(content)) {
      open.push({ path: parsePath(content.slice('range'.length).trim()), parts: [] });
    } else {
      add(/^["']/.test(content) ? { type: 'text', text: quoted(content) } : { type: 'path', path: parsePath(content) });
    }
  }
  if (open.length > 1) throw wrong('a "range" has no "end"');
  return open[0]?.parts ?? [];
}

const NAME = /^\.?([\w-]+)/;

/** Reads `$.nodes[*].device.slots[?(@.booted==true)].version`. */
function parsePath(text: string): readonly PathStep[] {
  const steps: PathStep[] = [];
  let rest = text.replace(/^[$@]/, '');
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const found = pattern.exec(rest);
    if (found) rest = rest.slice(found[0].length);
    return found;
  };
  while (rest !== '' && rest !== '.') {
    const deep = take(/^\.\.([\w-]+)/);
    const bracket = deep ? null : take(/^\.?\[((?:"[^"]*"|'[^']*'|\([^)]*\)|[^\]"'(])*)\]/);
    const name = deep || bracket ? null : (take(/^\.(\*)/) ?? take(NAME));
    if (deep) steps.push({ type: 'descendant', name: deep[1] as string });
    else if (bracket) steps.push(bracketed((bracket[1] ?? '').trim()));
    else if (name) steps.push(name[1] === '*' ? { type: 'every' } : { type: 'child', name: name[1] as string });
    else throw wrong(`"${rest}" is no step of a path`);
  }
  return steps;
}

function bracketed(text: string): PathStep {
  if (text === '*') return { type: 'every' };
  if (/^-?\d+$/.test(text)) return { type: 'index', index: Number(text) };
  const slice = /^(-?\d*):(-?\d*)$/.exec(text);
  if (slice) return { type: 'slice', start: Number(slice[1] || 0), end: slice[2] ? Number(slice[2]) : undefined };
  if (/^["'].*["']$/.test(text)) return { type: 'child', name: quoted(text) };
  const filter = /^\?\((.*)\)$/.exec(text);
  if (!filter) throw wrong(`"[${text}]" is no step of a path`);
  const condition = (filter[1] ?? '').trim();
  const operator = OPERATORS.find((each) => condition.includes(each));
  const [path = '', value = ''] = operator ? condition.split(operator, 2).map((side) => side.trim()) : [condition];
  return { type: 'filter', path: parsePath(path), operator, value: operator ? literal(value) : undefined };
}

function literal(text: string): unknown {
  if (/^["']/.test(text)) return quoted(text);
  if (text === 'true' || text === 'false') return text === 'true';
  if (text !== '' && Number.isFinite(Number(text))) return Number(text);
  throw wrong(`"${text}" is no value to compare with: say a number, true, false or a text in quotes`);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function quoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, character: string) => ESCAPES[character] ?? character);
}

function wrong(why: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot read the JSONPath template: ${why}; an example is {.nodes[*].node}`, { field: 'output' });
}
