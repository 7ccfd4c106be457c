// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { RefusalBudget } from '../../../../agent/daemon/access/refusal-budget.ts';

describe('refused calls', () => {
  it('are written down ten times a minute for each caller, and then counted', () => {
    let nowMs = 0;
    const budget = new RefusalBudget(() => nowMs);
    const taken = Array.from({ length: 25 }, () => budget.take('eve'));
    expect(taken.filter((leftOut) => leftOut === 0)).toHaveLength(10);
    expect(taken.slice(10)).toEqual(Array(15).fill(undefined));
    expect(budget.take('mallory')).toBe(0);
    nowMs = 60_000;
    expect(budget.take('eve')).toBe(15);
    expect(budget.take('eve')).toBe(0);
  });

  it('have another share where it is said', () => {
    let nowMs = 0;
    const budget = new RefusalBudget(() => nowMs, { written: 1, windowMs: 1_000 });
    expect([budget.take('eve'), budget.take('eve')]).toEqual([0, undefined]);
    nowMs = 1_000;
    expect(budget.take('eve')).toBe(1);
  });

  it('are remembered for a bounded number of callers', () => {
    const budget = new RefusalBudget(() => 0);
    for (let caller = 0; caller < 5_000; caller += 1) expect(budget.take(`caller ${caller}`)).toBe(0);
  });
});
