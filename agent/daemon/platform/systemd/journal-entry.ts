// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { parsedJson } from '../../../shared/json.ts';
import type { LogEntry } from '../../node/node-log.ts';

/** What journalctl is asked for beside what it always tells: cursor, time and boot. systemd.journal-fields(7). */
export const FIELDS = ['MESSAGE', 'PRIORITY', 'UNIT', '_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER', '_COMM', '_PID'] as const;

/**
 * A field as journalctl writes it in JSON: bytes that are no UTF-8 as numbers, a field that is there several times as a list, and
 * nothing for one of 4096 bytes or more.
 */
const Value = v.union([v.string(), v.array(v.number()), v.null()]);
const Field = v.optional(v.union([Value, v.array(Value)]));

const EntrySchema = v.object({
  __CURSOR: v.string(),
  __REALTIME_TIMESTAMP: v.pipe(v.string(), v.regex(/^\d{1,17}$/)),
  _BOOT_ID: Field,
  ...(Object.fromEntries(FIELDS.map((name) => [name, Field])) as Record<(typeof FIELDS)[number], typeof Field>),
});

/** One line of "journalctl --output=json"; undefined when it is no entry. */
export function journalEntry(line: string): LogEntry | undefined {
  const parsed = v.safeParse(EntrySchema, parsedJson(line));
  if (!parsed.success) return undefined;
  const fields = parsed.output;
  const priority = Number(text(fields.PRIORITY) || Number.NaN);
  return {
    cursor: fields.__CURSOR,
    at: new Date(Math.floor(Number(fields.__REALTIME_TIMESTAMP) / 1000)),
    priority: priority >= 0 && priority <= 7 ? priority : undefined,
    // What systemd says about a unit has the unit's name in a field of its own.
    unit: text(fields.UNIT) || text(fields._SYSTEMD_UNIT),
    identifier: text(fields.SYSLOG_IDENTIFIER) || text(fields._COMM),
    pid: Number(/^\d{1,9}$/.exec(text(fields._PID))?.[0] ?? 0),
    bootId: text(fields._BOOT_ID),
    message: text(fields.MESSAGE),
    messageLeftOut: fields.MESSAGE === null,
  };
}

function text(field: v.InferOutput<typeof Field>): string {
  if (field === undefined || field === null) return '';
  if (typeof field === 'string') return field;
  if (isBytes(field)) return Buffer.from(field).toString('utf8');
  return field.map((value) => text(value)).join('\n');
}

function isBytes(list: readonly unknown[]): list is number[] {
  return typeof list[0] === 'number';
}
