// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../shared/gen/messages.js';
import { named, present, text, time } from './wire/wire-values.ts';

/** Indexed by the number of the protocol's LogPriority; see node.ts. */
export const LOG_PRIORITIES = ['unknown', 'emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const;
export type LogPriority = (typeof LOG_PRIORITIES)[number];

export interface LogEntry {
  /** Where to go on after this entry. */
  readonly cursor: string;
  readonly at?: string;
  readonly priority: LogPriority;
  readonly unit: string;
  readonly identifier: string;
  readonly pid: number;
  readonly bootId: string;
  readonly message: string;
  readonly messageLeftOut: boolean;
}

export interface LogQuery {
  readonly units: readonly string[];
  /** The least that matters; unknown: everything. */
  readonly priority: LogPriority;
  readonly since?: Date;
  /** A boot id, or 0, -1, …; empty: every boot. */
  readonly boot: string;
  readonly afterCursor: string;
  readonly lines: number;
  readonly follow: boolean;
}

export function logEntryFromWire(entry: lamadist.agent.v1.LogEntry.$Properties): LogEntry {
  return {
    cursor: text(entry.cursor),
    ...present('at', entry.at, time),
    priority: named(LOG_PRIORITIES, entry.priority),
    unit: text(entry.unit),
    identifier: text(entry.identifier),
    pid: entry.pid ?? 0,
    bootId: text(entry.bootId),
    message: text(entry.message),
    messageLeftOut: entry.messageLeftOut ?? false,
  };
}
