// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { Failure } from './failure.ts';
import { nearestName } from './nearest-name.ts';
import { type Path, readYaml } from './yaml-source.ts';

/**
 * Reads a YAML configuration as strictly as a program is compiled: an unknown field is an error. Throws CONFIG_INVALID
 * that names the file, the line, the field and the remedy.
 */
export function parseConfig<const S extends v.GenericSchema>(schema: S, text: string, file: string): v.InferOutput<S> {
  const source = readYaml(text);
  if (source.type === 'unreadable') {
    const problem = source.problems[0] ?? { line: 1, path: [], message: 'cannot be read' };
    throw invalid(file, { ...problem, message: `is ${problem.message}` });
  }
  const parsed = v.safeParse(schema, source.value ?? {});
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  throw invalid(file, { line: source.lineOf(path), path, message: explain(issue, fieldsAt(schema, path.slice(0, -1))) });
}

interface Found {
  readonly line: number;
  readonly path: Path;
  readonly message: string;
}

function invalid(file: string, { line, path, message }: Found): Failure {
  const field = path.join('.');
  const where = field === '' ? '' : ` "${field}"`;
  return new Failure('CONFIG_INVALID', `Cannot use ${file}: line ${line}:${where} ${message}`, { file, line: String(line), field });
}

/** How valibot begins every message that a schema does not bring itself. */
const LIBRARYS_OWN_WORDS = 'Invalid ';

function explain(issue: v.BaseIssue<unknown>, fields: readonly string[]): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const nearest = nearestName(String(issue.input), fields);
    return nearest ? `is not a known field: write "${nearest}"` : `is not a known field: use one of ${fields.join(', ')}`;
  }
  if (!issue.message.startsWith(LIBRARYS_OWN_WORDS)) return issue.message;
  if (issue.received === 'undefined') return 'is missing: add it';
  return `must be ${issue.expected === 'Object' ? 'a mapping' : issue.expected}, not ${issue.received}`;
}

interface Walkable {
  readonly wrapped?: Walkable;
  readonly entries?: Readonly<Record<string, Walkable>>;
  readonly value?: Walkable;
}

/** The names of the fields that a schema knows at a path: of an object by its entries, of a record by its value. */
function fieldsAt(schema: v.GenericSchema, path: Path): readonly string[] {
  let at: Walkable | undefined = schema as Walkable;
  for (const key of path) {
    const inner: Walkable | undefined = at?.wrapped ?? at;
    at = inner?.entries?.[String(key)] ?? inner?.value;
  }
  return Object.keys((at?.wrapped ?? at)?.entries ?? {});
}
