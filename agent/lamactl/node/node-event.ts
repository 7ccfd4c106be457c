// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../shared/gen/messages.js';
import { OUTCOMES, PHASES, SEVERITIES, VERDICTS } from './wire/wire-names.ts';
import { named, present, text, time } from './wire/wire-values.ts';

/** What happened; `unknown` is an event of a kind that this version of lamactl does not know. */
export type NodeEventDetail =
  | { readonly type: 'booted'; readonly bootname: string; readonly imageVersion: string; readonly agentVersion: string }
  | { readonly type: 'agent-restarted'; readonly agentVersion: string }
  | { readonly type: 'rebooting' }
  | {
      readonly type: 'update-phase-entered';
      readonly operationId: string;
      readonly phase: (typeof PHASES)[number];
      readonly version: string;
      readonly targetSlot: string;
      readonly reasonCode: string;
      readonly reasonMessage: string;
    }
  | { readonly type: 'gate-decided'; readonly verdict: (typeof VERDICTS)[number]; readonly message: string }
  | {
      readonly type: 'check-changed';
      readonly name: string;
      readonly severity: (typeof SEVERITIES)[number];
      readonly outcome: (typeof OUTCOMES)[number];
      readonly detail: string;
    }
  | { readonly type: 'certificates-reloaded'; readonly notAfter?: string }
  | { readonly type: 'unit-restarted'; readonly name: string }
  | { readonly type: 'unknown' };

export type NodeEvent = NodeEventDetail & {
  /** Where to go on after this event. */
  readonly cursor: string;
  readonly at?: string;
  readonly bootId: string;
  /** Events before this one are no longer on record. */
  readonly gap: boolean;
};

export interface EventQuery {
  readonly afterCursor: string;
  readonly limit: number;
  readonly follow: boolean;
}

export function nodeEventFromWire(response: lamadist.agent.v1.WatchEventsResponse.$Properties): NodeEvent {
  const event = response.event ?? {};
  return {
    cursor: text(event.cursor),
    ...present('at', event.at, time),
    bootId: text(event.bootId),
    gap: response.gap ?? false,
    ...detail(event),
  };
}

function detail(event: lamadist.agent.v1.Event.$Properties): NodeEventDetail {
  const { booted, agentRestarted, rebooting, updatePhaseEntered: phase, gateDecided: gate, checkChanged: check } = event;
  if (booted) {
    const { bootname, imageVersion, agentVersion } = booted;
    return { type: 'booted', bootname: text(bootname), imageVersion: text(imageVersion), agentVersion: text(agentVersion) };
  }
  if (agentRestarted) return { type: 'agent-restarted', agentVersion: text(agentRestarted.agentVersion) };
  if (rebooting) return { type: 'rebooting' };
  if (phase) {
    return {
      type: 'update-phase-entered',
      operationId: text(phase.operationId),
      phase: named(PHASES, phase.phase),
      version: text(phase.version),
      targetSlot: text(phase.targetSlot),
      reasonCode: text(phase.reasonCode),
      reasonMessage: text(phase.reasonMessage),
    };
  }
  if (gate) return { type: 'gate-decided', verdict: named(VERDICTS, gate.verdict), message: text(gate.message) };
  if (check) {
    const { name, severity, outcome } = check;
    return {
      type: 'check-changed',
      name: text(name),
      severity: named(SEVERITIES, severity),
      outcome: named(OUTCOMES, outcome),
      detail: text(check.detail),
    };
  }
  if (event.certificatesReloaded)
    return { type: 'certificates-reloaded', ...present('notAfter', event.certificatesReloaded.notAfter, time) };
  if (event.unitRestarted) return { type: 'unit-restarted', name: text(event.unitRestarted.name) };
  return { type: 'unknown' };
}
