// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { PHASES } from '../update/life/state.ts';

/**
 * What can happen on a node that an administrator would want to hear of. The schema is the format on the disk, too; a line that an
 * agent of another version wrote and this one does not understand counts as an event that is missing.
 */

const text = v.string();
const event = <const T extends string, const E extends v.ObjectEntries>(type: T, entries: E) =>
  v.object({ type: v.literal(type), ...entries });

const NodeEventSchema = v.variant('type', [
  /** The agent's first event in a boot. */
  event('booted', { bootname: text, imageVersion: text, agentVersion: text }),
  event('agent-restarted', { agentVersion: text }),
  /** The agent asked for a reboot. */
  event('rebooting', {}),
  event('update-phase-entered', {
    operationId: text,
    /** Which of the update's changes of phase this is, from 0. */
    change: v.number(),
    phase: v.picklist(PHASES),
    version: text,
    targetSlot: text,
    reasonCode: text,
    reasonMessage: text,
  }),
  event('gate-decided', { verdict: v.picklist(['passed', 'failed']), message: text }),
  event('check-changed', {
    name: text,
    severity: v.picklist(['required', 'advisory']),
    outcome: v.picklist(['pending', 'passed', 'failed', 'timed-out']),
    detail: text,
  }),
  event('certificates-reloaded', { notAfterMs: v.number() }),
  event('unit-restarted', { name: text }),
]);

export type NodeEvent = v.InferOutput<typeof NodeEventSchema>;
export type EventOf<T extends NodeEvent['type']> = Extract<NodeEvent, { type: T }>;

export const StoredEventSchema = v.object({
  /** Counts all events of a node from 1; one that is not there was lost. */
  sequence: v.pipe(v.number(), v.integer(), v.minValue(1)),
  atMs: v.number(),
  /** The boot in which it was written down. */
  bootId: text,
  event: NodeEventSchema,
});

export type StoredEvent = v.InferOutput<typeof StoredEventSchema>;
