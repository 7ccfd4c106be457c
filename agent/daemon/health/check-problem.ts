// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { nearestName } from '../../shared/nearest-name.ts';
import type { Path } from '../../shared/yaml-source.ts';
import { CHECK_FIELDS } from './check-schema.ts';
import { CONDITION_FIELDS, type Fields } from './condition-schema.ts';

/** Where the schema found something wrong, and how to put it right. */
export function problemOf(issue: v.BaseIssue<unknown>): { path: Path; message: string } {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  return { path, message: messageOf(issue) };
}

function messageOf(issue: v.BaseIssue<unknown>): string {
  const step = issue.path?.at(-1);
  const name = String(step?.key);
  if (issue.type === 'strict_object' && step?.origin === 'key') {
    const fields = issue.path?.length === 1 ? CHECK_FIELDS : fieldsOf(step.input);
    return issue.input === undefined ? missing(name, fields) : unknownField(name, fields);
  }
  if (issue.type === 'strict_object') return 'must be a map of fields, such as "severity: required"';
  if (issue.type === 'variant' && name === 'type') return unknownType(issue.input);
  if (issue.type === 'variant') return 'must be a map of fields, such as "type: clock-synchronised"';
  return issue.message;
}

function fieldsOf(condition: unknown): Fields {
  const type = typeof condition === 'object' && condition !== null && 'type' in condition ? condition.type : undefined;
  return CONDITION_FIELDS.get(type) ?? {};
}

function missing(name: string, fields: Fields): string {
  const schema = fields[name];
  const expectation = schema && v.getDescription(schema);
  return expectation ? `missing: add ${expectation}` : 'missing: add it';
}

function unknownField(name: string, fields: Fields): string {
  const names = Object.keys(fields);
  const nearest = nearestName(name, names);
  return nearest ? `unknown field: write "${nearest}"` : `unknown field: remove it, or use one of ${names.join(', ')}`;
}

function unknownType(type: unknown): string {
  const names = [...CONDITION_FIELDS.keys()].map(String);
  const nearest = typeof type === 'string' ? nearestName(type, names) : undefined;
  return nearest ? `unknown type: write "${nearest}"` : `must be one of ${names.join(', ')}`;
}
