// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import * as v from 'valibot';
import { parseSize } from '../../shared/size.ts';
import type { Condition } from './check.ts';

/** A field: what it takes, as a text that completes "must be …", and the schema that says the same. */
export function field<T extends v.GenericSchema>(expectation: string, schema: T) {
  return v.pipe(v.message(schema, `must be ${expectation}`), v.description(expectation));
}

export type Fields = Readonly<Record<string, v.GenericSchema>>;

const MOST_CONDITIONS = 16;
const DEEPEST_LEVEL = 4;

// systemd.unit(5): at most 255 characters, a known suffix.
const UNIT = /^[\w:.\\@-]{1,245}\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i;
const ABSOLUTE_PATH = /^\/[^\0]{0,4095}$/;

const unit = field('the full name of a systemd unit, such as "k3s.service"', v.pipe(v.string(), v.regex(UNIT)));
const flag = field('true or false', v.boolean());
const absolutePath = field('an absolute path', v.pipe(v.string(), v.regex(ABSOLUTE_PATH)));
const host = field(
  'a host name or an IP address, without brackets',
  v.pipe(
    v.string(),
    v.check((text) => isIP(text) !== 0 || HOST_NAME.test(text)),
  ),
);
const port = field('a whole number from 1 to 65535', v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)));
const url = field('an http: or https: URL without user name and password', v.pipe(v.string(), v.maxLength(2048), v.check(isPlainWebUrl)));
const status = field('a status from 100 to 599, or a list of them', v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599)));
const statuses = field(
  'a status from 100 to 599, or a list of them',
  v.union([
    v.pipe(
      status,
      v.transform((one) => [one]),
    ),
    v.pipe(v.array(status), v.minLength(1), v.maxLength(32)),
  ]),
);
const argument = field('text: put it in quotes', v.pipe(v.string(), v.maxLength(4096), v.regex(/^[^\0]*$/)));
const argv = field(
  'a list of 1 to 64 texts, the first of them the absolute path of a program',
  v.pipe(
    v.array(argument),
    v.minLength(1),
    v.maxLength(64),
    v.check(([program]) => ABSOLUTE_PATH.test(program ?? '')),
  ),
);
const sizeBytes = field(
  'a size such as "64MiB" or "1GiB", or a number of bytes',
  v.pipe(v.union([v.number(), v.pipe(v.string(), v.transform(parseSize), v.number())]), v.safeInteger(), v.minValue(1)),
);
const units = field('a list of at most 64 names of systemd units', v.pipe(v.array(unit), v.maxLength(64)));

function isPlainWebUrl(text: string): boolean {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  return parsed !== undefined && /^https?:$/.test(parsed.protocol) && parsed.username === '' && parsed.password === '';
}

const LEAVES = [
  v.strictObject({ type: v.literal('unit-active'), unit }),
  v.strictObject({ type: v.literal('no-failed-units'), except: v.optional(units, []) }),
  v.strictObject({ type: v.literal('tcp'), host, port }),
  v.pipe(
    v.strictObject({ type: v.literal('http'), url, status: v.exactOptional(statuses), 'ca-file': v.exactOptional(absolutePath) }),
    v.transform(({ 'ca-file': caFile, ...others }) => (caFile === undefined ? others : { ...others, caFile })),
  ),
  v.strictObject({ type: v.literal('command'), argv }),
  v.strictObject({ type: v.literal('mount-writable'), path: absolutePath, persistent: v.optional(flag, false) }),
  v.pipe(
    v.strictObject({ type: v.literal('free-space'), path: absolutePath, minimum: sizeBytes }),
    v.transform(({ minimum, ...others }) => ({ ...others, minimumBytes: minimum })),
  ),
  v.strictObject({ type: v.literal('clock-synchronised') }),
] as const;

/** A condition at a level of nesting, the outermost being 1. */
function conditionAt(level: number): v.GenericSchema<unknown, Condition> {
  return level > DEEPEST_LEVEL ? tooDeep : v.variant('type', [...LEAVES, composite('all-of', level), composite('any-of', level)]);
}

function composite<T extends 'all-of' | 'any-of'>(type: T, level: number) {
  const conditions = v.pipe(v.array(conditionAt(level + 1)), v.minLength(1), v.maxLength(MOST_CONDITIONS));
  return v.strictObject({ type: v.literal(type), conditions: field(`a list of 1 to ${MOST_CONDITIONS} conditions`, conditions) });
}

const tooDeep = v.pipe(
  v.unknown(),
  v.rawTransform(({ addIssue, NEVER }) => {
    addIssue({ message: `nested too deep: conditions stand at most ${DEEPEST_LEVEL} levels deep` });
    return NEVER;
  }),
);

export const condition = conditionAt(1);

/** What each type of condition takes, by the names that the file uses. */
export const CONDITION_FIELDS: ReadonlyMap<unknown, Fields> = new Map(
  [...LEAVES, composite('all-of', 1), composite('any-of', 1)].map(({ entries }) => [entries.type.literal, entries]),
);
