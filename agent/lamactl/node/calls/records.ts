// SPDX-License-Identifier: Apache-2.0
import {
  AuditServiceDefinition as audit,
  EventServiceDefinition as event,
  LogServiceDefinition as log,
} from '../../../shared/gen/services.ts';
import { linesOf } from '../../fleet/lines.ts';
import type { Channel } from '../channel.ts';
import type { RecordCalls } from '../node.ts';
import { nodeEventFromWire } from '../node-event.ts';
import { LOG_PRIORITIES, type LogQuery, logEntryFromWire } from '../node-log.ts';

/** What a node wrote down: its log, its events, and who asked for what. */
export function recordCalls(channel: Channel): RecordCalls {
  const lifetime = ({ follow }: { readonly follow: boolean }) => (follow ? {} : channel.deadline);
  return {
    async *readLog(query) {
      for await (const { entry } of channel.stream(log.readLog, logRequest(query), lifetime(query))) {
        if (entry) yield logEntryFromWire(entry);
      }
    },
    async *events(query) {
      for await (const response of channel.stream(event.watchEvents, query, lifetime(query))) yield nodeEventFromWire(response);
    },
    auditLog: () => linesOf(channel.stream(audit.readAuditLog, {}, channel.deadline)),
  };
}

function logRequest({ since, priority, ...query }: LogQuery) {
  return {
    ...query,
    units: [...query.units],
    priority: LOG_PRIORITIES.indexOf(priority),
    ...(since && { since: { seconds: Math.floor(since.getTime() / 1000), nanos: (since.getTime() % 1000) * 1e6 } }),
  };
}
