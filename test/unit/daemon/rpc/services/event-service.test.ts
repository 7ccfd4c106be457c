// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EventQuery } from '../../../../../agent/daemon/node/event-log.ts';
import type { NodeEvent } from '../../../../../agent/daemon/node/events.ts';
import { eventService } from '../../../../../agent/daemon/rpc/services/event-service.ts';
import { lamadist } from '../../../../../agent/shared/gen/messages.js';
import { callStream } from '../../../fakes/call.ts';

const { CheckOutcome, CheckSeverity, Event, GateVerdict, UpdatePhase } = lamadist.agent.v1;
const PHASE = { operationId: 'o', change: 0, version: '2', targetSlot: 'rootfs.1', reasonCode: '', reasonMessage: '' } as const;
const REQUEST = { afterCursor: '', limit: 0, follow: false };

const EVENTS: readonly (readonly [NodeEvent, object])[] = [
  [
    { type: 'booted', bootname: 'A', imageVersion: '1', agentVersion: '0' },
    { booted: { bootname: 'A', imageVersion: '1', agentVersion: '0' } },
  ],
  [{ type: 'agent-restarted', agentVersion: '0' }, { agentRestarted: { agentVersion: '0' } }],
  [{ type: 'rebooting' }, { rebooting: {} }],
  [
    { type: 'update-phase-entered', ...PHASE, phase: 'trial' },
    { updatePhaseEntered: { operationId: 'o', phase: UpdatePhase.UPDATE_PHASE_TRIAL, version: '2', targetSlot: 'rootfs.1' } },
  ],
  [{ type: 'gate-decided', verdict: 'failed', message: 'm' }, { gateDecided: { verdict: GateVerdict.GATE_VERDICT_FAILED, message: 'm' } }],
  [
    { type: 'check-changed', name: 'c', severity: 'advisory', outcome: 'timed-out', detail: 'd' },
    {
      checkChanged: {
        name: 'c',
        severity: CheckSeverity.CHECK_SEVERITY_ADVISORY,
        outcome: CheckOutcome.CHECK_OUTCOME_TIMED_OUT,
        detail: 'd',
      },
    },
  ],
  [{ type: 'certificates-reloaded', notAfterMs: 2_000 }, { certificatesReloaded: { notAfter: { seconds: 2 } } }],
  [{ type: 'unit-restarted', name: 'k3s.service' }, { unitRestarted: { name: 'k3s.service' } }],
];

function service() {
  const queries: EventQuery[] = [];
  const follow = async function* (query: EventQuery) {
    queries.push(query);
    for (const [index, [event]] of EVENTS.entries()) {
      yield { cursor: `c.${index}`, stored: { sequence: index + 1, atMs: 1_000, bootId: 'b', event }, gap: index === 0 };
    }
  };
  return { queries, watch: (request: object) => callStream(eventService({ follow }).watchEvents, { ...REQUEST, ...request }) };
}

describe('the events', () => {
  it('are told in the words of the protocol, each with its cursor', async () => {
    const { watch, queries } = service();
    const responses = await watch({ afterCursor: 'c', limit: 3, follow: true });
    expect(queries).toEqual([{ afterCursor: 'c', limit: 3, follow: true }]);
    expect(responses.map(({ gap }) => gap)).toEqual(EVENTS.map((_, index) => index === 0));
    // As a client sees them: what is not of the protocol does not travel.
    const seen = responses.map(({ event }) => Event.toObject(Event.decode(Event.encode(event ?? {}).finish())));
    for (const [index, [, message]] of EVENTS.entries()) {
      expect(seen[index]).toMatchObject({ cursor: `c.${index}`, at: { seconds: 1 }, bootId: 'b', ...message });
    }
  });

  it.each([{ afterCursor: 'x'.repeat(101) }, { limit: -1 }])('are not told for %j', async (request) => {
    await expect(service().watch(request)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});
