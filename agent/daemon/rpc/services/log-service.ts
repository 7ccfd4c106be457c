// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { lamadist } from '../../../shared/gen/messages.js';
import type { LogServiceHandlers } from '../../../shared/gen/services.ts';
import type { LogEntry, LogQuery, ReadLog } from '../../node/node-log.ts';
import { serverStream } from '../handlers.ts';
import { timestamp } from '../messages/update-message.ts';

type Request = lamadist.agent.v1.ReadLogRequest;

/** Each reader is a process beside the agent; with more of them the node would do little else. */
const MAX_READERS = 8;
const MAX_UNITS = 32;
const UNIT = /^[\w:.\\@-]{1,255}$/;
const BOOT = /^(?:[0-9a-f]{32}|0|-\d{1,4})$/;
/** As systemd writes it: letters, each with a hexadecimal number. */
const CURSOR = /^[a-z]=[0-9a-f]{1,32}(?:;[a-z]=[0-9a-f]{1,32}){0,9}$/;

export function logService(readLog: ReadLog): LogServiceHandlers {
  let readers = 0;
  return {
    readLog: serverStream(async function* (request, { signal }) {
      const query = logQuery(request);
      if (readers >= MAX_READERS) {
        throw new Failure('TOO_MANY_CALLS', `Cannot read the log: ${MAX_READERS} others read it already`);
      }
      readers += 1;
      try {
        for await (const entry of readLog(query, signal)) yield { entry: entryMessage(entry) };
      } finally {
        readers -= 1;
      }
    }),
  };
}

/** Reads a request, and refuses whatever could not be one of lamactl. Throws INVALID_REQUEST. */
function logQuery({ units, priority, since, boot, afterCursor, lines, follow }: Request): LogQuery {
  const sinceMs = since && Number(since.seconds ?? 0) * 1000 + Math.floor((since.nanos ?? 0) / 1e6);
  const bootId = boot.replaceAll('-', '').length === 32 ? boot.replaceAll('-', '').toLowerCase() : boot;
  requireThat(units.length <= MAX_UNITS && units.every((unit) => UNIT.test(unit)), 'units');
  requireThat(priority >= 0 && priority <= 8, 'priority');
  requireThat(sinceMs === null || sinceMs === undefined || (sinceMs >= 0 && sinceMs <= 8.64e15), 'since');
  requireThat(boot === '' || BOOT.test(bootId), 'boot');
  requireThat(afterCursor === '' || CURSOR.test(afterCursor), 'after_cursor');
  requireThat(lines >= 0, 'lines');
  return {
    units,
    // LogPriority is syslog's number and one, for 0 is unspecified.
    priority: priority === 0 ? undefined : priority - 1,
    since: sinceMs === null || sinceMs === undefined ? undefined : new Date(sinceMs),
    boot: bootId,
    afterCursor,
    lines,
    follow,
  };
}

function requireThat(holds: boolean, field: string): void {
  if (!holds) throw new Failure('INVALID_REQUEST', `Cannot read the log: "${field}" has a value that it cannot have`, { field });
}

function entryMessage({ at, priority, ...entry }: LogEntry): lamadist.agent.v1.LogEntry.$Properties {
  return { ...entry, at: timestamp(at.getTime()), priority: priority === undefined ? 0 : priority + 1 };
}
