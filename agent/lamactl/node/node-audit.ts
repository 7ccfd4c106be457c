// SPDX-License-Identifier: Apache-2.0

import * as v from 'valibot';
import { parsedJson } from '../../shared/json.ts';
import { printable } from '../../shared/printable.ts';

const Entry = v.looseObject({
  at: v.pipe(v.string(), v.isoTimestamp()),
  caller: v.fallback(v.string(), ''),
  role: v.fallback(v.string(), ''),
  certificateSha256: v.fallback(v.string(), ''),
  rpc: v.fallback(v.string(), ''),
  result: v.fallback(v.string(), ''),
  request: v.optional(v.unknown()),
  leftOut: v.fallback(v.number(), 0),
});

/** A call that changed a node, or was refused to, as the node wrote it down. */
export interface AuditEntry {
  /** RFC 3339, by the node's clock. */
  readonly at: string;
  readonly caller: string;
  readonly role: string;
  readonly certificateSha256: string;
  /** Its gRPC path. */
  readonly rpc: string;
  /** OK, or the failure's code. */
  readonly result: string;
  readonly request: unknown;
  /** Refused calls of the same caller that were not written down before this one. */
  readonly leftOut: number;
}

/** The entry in a line of an audit log; undefined when it is none. */
export function auditEntryIn(line: string): AuditEntry | undefined {
  const { success, output } = v.safeParse(Entry, parsedJson(line));
  if (!success) return undefined;
  const { at, caller, role, certificateSha256, rpc, result, request = null, leftOut } = output;
  return { at, ...(safe({ caller, role, certificateSha256, rpc, result, request }) as Omit<AuditEntry, 'at' | 'leftOut'>), leftOut };
}

/** The same with texts that are safe on a terminal. */
function safe(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(safe);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [printable(name), safe(each)]));
}
