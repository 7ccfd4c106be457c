// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import * as v from 'valibot';
import { type Path, type Problem, readYaml } from '../../shared/yaml-source.ts';
import type { BrokenCheck, Check } from './check.ts';
import { problemOf } from './check-problem.ts';
import { checkSchema } from './check-schema.ts';

export const CHECK_SUFFIX = '.yaml';
export const LARGEST_FILE_BYTES = 64 * 1024;

/** Of one file; whoever mends these will hear of the rest. */
const MOST_PROBLEMS = 10;
const LONGEST_FIELD = 200;

const NAME = /^[a-z0-9-]{1,64}$/;

export type CheckFile =
  | { readonly type: 'check'; readonly check: Check }
  | { readonly type: 'broken'; readonly broken: readonly BrokenCheck[] };

/** Reads the content of a check file; what is wrong with it comes back as data, for it must be shown and must not stop others. */
export function readCheckFile(file: string, content: Uint8Array): CheckFile {
  const name = basename(file, CHECK_SUFFIX);
  const reading = NAME.test(name) ? readContent(content) : problem('the name of a check is 1 to 64 of a-z, 0-9 and "-": rename the file');
  if (reading.type === 'read') return { type: 'check', check: { name, ...reading.fields } };
  const problems = reading.problems.toSorted((a, b) => a.line - b.line).slice(0, MOST_PROBLEMS);
  return { type: 'broken', broken: problems.map(({ line, path, message }) => ({ file, line, field: fieldName(path), message })) };
}

type Reading =
  | { readonly type: 'read'; readonly fields: Omit<Check, 'name'> }
  | { readonly type: 'refused'; readonly problems: readonly Problem[] };

function readContent(content: Uint8Array): Reading {
  if (content.byteLength > LARGEST_FILE_BYTES) return problem(`larger than ${LARGEST_FILE_BYTES} bytes: make it smaller`);
  const text = decode(content);
  if (text === undefined) return problem('not UTF-8 text: save it as UTF-8');
  const source = readYaml(text);
  if (source.type === 'unreadable') return { type: 'refused', problems: source.problems };
  if (source.value === null) return problem('holds no check: write one, or empty the file altogether to mask the check of this name');
  const parsed = v.safeParse(checkSchema, source.value);
  if (parsed.success) return { type: 'read', fields: parsed.output };
  const problems = parsed.issues.map(problemOf).map((found) => ({ ...found, line: source.lineOf(found.path) }));
  return { type: 'refused', problems };
}

function problem(message: string): Reading {
  return { type: 'refused', problems: [{ line: 1, path: [], message }] };
}

function decode(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** A path as people write it: `condition.conditions[1].port`. */
function fieldName(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text.replace(/^\./, '').slice(0, LONGEST_FIELD);
}
