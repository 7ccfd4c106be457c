// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { newPhases } from '../../../../agent/daemon/node/update-events.ts';
import type { UpdateState } from '../../../../agent/daemon/update/life/state.ts';
import { STATES } from '../update/states.ts';

const withPhases = (state: UpdateState, ...phases: string[]) => {
  return { ...state, phaseChanges: phases.map((phase, index) => ({ phase, atMs: index * 1000 })) } as Exclude<
    UpdateState,
    { phase: 'idle' }
  >;
};

describe('the phases that are news', () => {
  const update = withPhases(STATES.installing, 'inspecting', 'installing');
  const { id } = update.operation;

  it('are none of a node that was never asked for an update', () => {
    expect(newPhases({ phase: 'idle' }, undefined, true)).toEqual([]);
  });

  it('are all of an update of which nothing is on record, each at its own time', () => {
    expect(newPhases(update, undefined, false)).toMatchObject([
      { atMs: 0, event: { phase: 'inspecting', change: 0, operationId: id } },
      { atMs: 1000, event: { phase: 'installing', change: 1 } },
    ]);
    expect(newPhases(update, { operationId: 'another', change: 7 }, false)).toHaveLength(2);
  });

  it('are those after the one on record', () => {
    expect(newPhases(update, { operationId: id, change: 0 }, false).map(({ event }) => event.phase)).toEqual(['installing']);
    expect(newPhases(update, { operationId: id, change: 1 }, false)).toEqual([]);
  });

  it('are none of an update that ended, where its events are no longer on record', () => {
    const ended = withPhases(STATES.committed, 'inspecting', 'committed');
    expect(newPhases(ended, undefined, false)).toEqual([]);
    expect(newPhases(ended, undefined, true)).toHaveLength(2);
  });

  it('have the reason where the update is now, and not before', () => {
    const failed = withPhases(STATES.failed, 'inspecting', 'failed');
    const reason = 'reason' in failed ? failed.reason : undefined;
    expect(newPhases(failed, undefined, true).map(({ event }) => event.reasonCode)).toEqual(['', reason?.code]);
  });
});
