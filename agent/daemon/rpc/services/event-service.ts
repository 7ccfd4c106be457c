// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { lamadist } from '../../../shared/gen/messages.js';
import type { EventServiceHandlers } from '../../../shared/gen/services.ts';
import type { EventLog, ToldEvent } from '../../node/event-log.ts';
import type { NodeEvent } from '../../node/events.ts';
import { serverStream } from '../handlers.ts';
import { OUTCOME, PHASE, SEVERITY, timestamp } from '../messages/update-message.ts';

type EventMessage = lamadist.agent.v1.Event.$Properties;

const MAX_CURSOR_LENGTH = 100;
const { GateVerdict } = lamadist.agent.v1;

export function eventService(events: Pick<EventLog, 'follow'>): EventServiceHandlers {
  return {
    watchEvents: serverStream(async function* ({ afterCursor, limit, follow }, { signal }) {
      if (afterCursor.length > MAX_CURSOR_LENGTH) throw invalid('after_cursor');
      if (limit < 0) throw invalid('limit');
      for await (const told of events.follow({ afterCursor, limit, follow }, signal)) yield { event: eventMessage(told), gap: told.gap };
    }),
  };
}

function invalid(field: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot watch events: "${field}" has a value that it cannot have`, { field });
}

function eventMessage({ cursor, stored: { atMs, bootId, event } }: ToldEvent): EventMessage {
  return { cursor, at: timestamp(atMs), bootId, ...detail(event) };
}

function detail(event: NodeEvent): EventMessage {
  switch (event.type) {
    case 'booted':
      return { booted: event };
    case 'agent-restarted':
      return { agentRestarted: event };
    case 'rebooting':
      return { rebooting: {} };
    case 'update-phase-entered':
      return { updatePhaseEntered: { ...event, phase: PHASE[event.phase] } };
    case 'gate-decided': {
      const verdict = event.verdict === 'passed' ? GateVerdict.GATE_VERDICT_PASSED : GateVerdict.GATE_VERDICT_FAILED;
      return { gateDecided: { verdict, message: event.message } };
    }
    case 'check-changed':
      return { checkChanged: { ...event, severity: SEVERITY[event.severity], outcome: OUTCOME[event.outcome] } };
    case 'certificates-reloaded':
      return { certificatesReloaded: { notAfter: timestamp(event.notAfterMs) } };
    case 'unit-restarted':
      return { unitRestarted: event };
  }
}
