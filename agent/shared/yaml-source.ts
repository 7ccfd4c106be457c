// SPDX-License-Identifier: Apache-2.0
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  visit,
  type YAMLMap,
  YAMLParseError,
} from 'yaml';

/** The way from the root to a value: names of fields and positions in lists. */
export type Path = readonly (string | number)[];

/** What is wrong with a text, and where. */
export interface Problem {
  /** Counted from 1. */
  readonly line: number;
  readonly path: Path;
  readonly message: string;
}

export type YamlSource =
  | { readonly type: 'value'; readonly value: unknown; readonly lineOf: (path: Path) => number }
  | { readonly type: 'unreadable'; readonly problems: readonly Problem[] };

/** Well above what a check needs, and far below what would exhaust the stack of the composer. */
const DEEPEST_NESTING = 40;

/** Reads one YAML document of plain maps, lists and scalars; refuses all that would make it more than it looks. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines);
  if ('tooDeepAt' in tokens) {
    const { line } = lines.linePos(tokens.tooDeepAt);
    return { type: 'unreadable', problems: [{ line, path: [], message: 'nested far too deep: flatten it' }] };
  }
  const document = composed(tokens, text.length);
  const findings = [...syntaxErrors(document), ...unsupported(document)];
  if (findings.length === 0) {
    return { type: 'value', value: document.toJS(), lineOf: (path) => lines.linePos(offsetOf(document.contents, path)).line };
  }
  const problems = findings.map(({ offset, message }) => {
    return { line: lines.linePos(offset).line, path: pathAt(document.contents, offset), message };
  });
  return { type: 'unreadable', problems };
}

/**
 * The composer of the library recurses, and a stack that runs out within a regular expression ends the whole process instead of
 * throwing. The parser beneath it keeps a stack of its own, which tells the depth before anything is composed.
 */
function tokensOf(text: string, lines: LineCounter): readonly CST.Token[] | { readonly tooDeepAt: number } {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > DEEPEST_NESTING) return { tooDeepAt: parser.offset };
  }
  tokens.push(...parser.end());
  return tokens;
}

/** As the library's own parseDocument() does it; a second document is an error. */
function composed(tokens: readonly CST.Token[], sizeOfText: number): Document {
  // The library looks for keys that are given twice by comparing each with each: half a second for 10,000 nodes. `unsupported` counts them.
  const options = { prettyErrors: false, stringKeys: true, uniqueKeys: false, logLevel: 'error' } as const;
  const [document, second] = new Composer(options).compose(tokens, true, sizeOfText);
  if (!document) throw new Error('the composer of the library made no document');
  if (second) document.errors.push(new YAMLParseError([...second.range.slice(0, 2)] as [number, number], 'MULTIPLE_DOCS', SEVERAL));
  return document;
}

const SEVERAL = 'Source contains multiple documents';

interface Finding {
  readonly offset: number;
  readonly message: string;
}

function syntaxErrors(document: Document): Finding[] {
  return document.errors.map(({ message, pos: [offset] }) => ({ offset, message: `not valid YAML (${message}): correct it` }));
}

function* givenTwice({ items }: YAMLMap): Generator<Finding> {
  const names = new Set<string>();
  for (const { key } of items) {
    const name = nameOf(key);
    if (names.has(name)) yield { offset: startOf(key), message: 'given twice: keep one of the two' };
    names.add(name);
  }
}

function unsupported(document: Document): Finding[] {
  const findings: Finding[] = [];
  visit(document, (_, node) => {
    if (!isAlias(node) && !isScalar(node) && !isMap(node) && !isSeq(node)) return;
    if (isMap(node)) for (const finding of givenTwice(node)) findings.push(finding);
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node)) findings.push({ offset, message: `the alias "*${node.source}" is not allowed: write the value itself` });
    else if (node.anchor !== undefined) findings.push({ offset, message: `the anchor "&${node.anchor}" is not allowed: remove it` });
    else if (node.tag !== undefined) findings.push({ offset, message: `the tag "${node.tag}" is not allowed: remove it` });
  });
  return findings;
}

/** Where the value at the end of a path was written, or as much of the path as there is. */
function offsetOf(root: unknown, path: Path): number {
  let offset = startOf(root);
  let node = root;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => nameOf(key) === step);
      if (!pair) break;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
      node = node.items[step];
      offset = startOf(node);
    } else break;
  }
  return offset;
}

/** The path of what was being written at an offset: in each map and list, the last item that began before it. */
function pathAt(node: unknown, offset: number): Path {
  if (isMap(node)) {
    const pair = node.items.findLast(({ key }) => startOf(key) <= offset);
    return pair ? [nameOf(pair.key), ...pathAt(pair.value, offset)] : [];
  }
  if (isSeq(node)) {
    const index = node.items.findLastIndex((item) => startOf(item) <= offset);
    return index < 0 ? [] : [index, ...pathAt(node.items[index], offset)];
  }
  return [];
}

function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

function startOf(node: unknown): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}
