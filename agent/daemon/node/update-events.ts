// SPDX-License-Identifier: Apache-2.0
import { isEnded, type Phase, type UpdateState } from '../update/life/state.ts';
import type { EventOf } from './events.ts';

type PhaseEvent = EventOf<'update-phase-entered'>;

/** Up to where the phases of an update are on record. */
export type Recorded = Pick<PhaseEvent, 'operationId' | 'change'>;

export interface NewPhase {
  readonly atMs: number;
  readonly event: PhaseEvent;
}

/**
 * The phases that an update entered since the one that is on record, so that each is written down once, however often the agent is
 * restarted, and however late it looks. Of an update that ended before anything was on record, nothing is new.
 */
export function newPhases(state: UpdateState, recorded: Recorded | undefined, isNewRecord: boolean): readonly NewPhase[] {
  if (state.phase === 'idle') return [];
  if (recorded === undefined && !isNewRecord && isEnded(state)) return [];
  const begin = recorded?.operationId === state.operation.id ? recorded.change + 1 : 0;
  return state.phaseChanges.slice(begin).map(({ phase, atMs }, index) => {
    const change = begin + index;
    return { atMs, event: phaseEvent(state, phase as Phase, change, change === state.phaseChanges.length - 1) };
  });
}

function phaseEvent(state: Exclude<UpdateState, { phase: 'idle' }>, phase: Phase, change: number, isCurrent: boolean): PhaseEvent {
  const reason = isCurrent && 'reason' in state ? state.reason : undefined;
  return {
    type: 'update-phase-entered',
    operationId: state.operation.id,
    change,
    phase,
    version: ('bundle' in state && state.bundle?.version) || '',
    targetSlot: ('targetSlot' in state && state.targetSlot?.name) || '',
    reasonCode: reason?.code ?? '',
    reasonMessage: reason?.message ?? '',
  };
}
