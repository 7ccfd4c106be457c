// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Phase } from '../../../agent/daemon/update/life/state.ts';
import { chosenMoments, type Film } from '../../machine/update-moments.ts';

const PHASES = ['inspecting', 'installing', 'activating', 'pending-reboot', 'checking', 'committing', 'committed'] as const;

/** Ten shots of each phase, one a second; the new slot is written to from the middle of its phase on. */
function filmOf(phases: readonly Phase[], chosen: Film['chosen']): Film {
  const shots = phases.flatMap((told, phase) =>
    Array.from({ length: 10 }, (_, index) => {
      const number = 10 * phase + index;
      return { name: String(number), logBytes: number, told, afterMs: 1_000 * number };
    }),
  );
  return { shots, firstWriteBytes: 14, chosen };
}

describe('the moments of an update at which the power is cut', () => {
  it('are twenty different ones, of every stage, and on both sides of what the commit does', () => {
    const moments = chosenMoments(filmOf(PHASES, { earliestMs: 53_500, latestMs: 55_500 }));
    expect(new Set(moments.map(({ name }) => name)).size).toBe(20);
    const at = (stage: string) => moments.filter((moment) => moment.stage === stage).map(({ logBytes }) => logBytes);
    expect(at('download').every((number) => number >= 10 && number <= 14)).toBe(true);
    expect(at('write').every((number) => number > 14 && number < 20)).toBe(true);
    expect([at('before commit'), at('amid commit'), at('after commit')]).toEqual([[52], [58], [65]]);
  });

  it('begin with one of each stage, so that a short run has seen all', () => {
    const stages = chosenMoments(filmOf(PHASES, { earliestMs: 53_500, latestMs: 55_500 })).map(({ stage }) => stage);
    expect(new Set(stages.slice(0, 9)).size).toBe(9);
  });

  it('cannot be chosen when nothing was photographed between what the commit does and the end', () => {
    expect(() => chosenMoments(filmOf(PHASES, { earliestMs: 53_500, latestMs: 59_000 }))).toThrow(
      '1 moments of "amid commit": 0 were seen',
    );
  });
});
