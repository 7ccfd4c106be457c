// SPDX-License-Identifier: Apache-2.0
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packPlan, packProgress, unpackPlan, unpackProgress } from '../../../../agent/lamactl/rollout/record.ts';
import { begin, type NodeProgress, STEPS } from '../../../../agent/lamactl/rollout/state.ts';
import { planOf } from './plans.ts';

const progress = fc.record<NodeProgress>({
  step: fc.constantFrom(...STEPS),
  attempt: fc.integer({ min: 0, max: 35 }),
  why: fc.constantFrom('', 'nothing listens there'),
});

describe('the record of a rollout', () => {
  it('is read as it was written, plan and progress', () => {
    fc.assert(
      fc.property(fc.array(progress, { minLength: 1, maxLength: 30 }), (nodes) => {
        const plan = planOf([nodes.map((_, index) => `node-${index}`)]);
        const state = { ...begin(plan), nodes, wave: 1, why: 'x', phase: 'halted', soakUntilMs: 5 } as const;
        expect(unpackPlan(plan.id, packPlan(plan))).toEqual(plan);
        expect(unpackProgress(plan, packProgress(state))).toEqual(state);
      }),
    );
  });

  it('is small enough for ten thousand nodes', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `node-${String(index).padStart(5, '0')}`);
    const plan = planOf([names]);
    expect(packPlan(plan).length).toBeLessThan(128 << 10);
    const nodes = begin(plan).nodes.map((node, index) => ({ ...node, step: STEPS[(index * 7) % 10]!, why: `it is away: ${index}` }));
    expect(packProgress({ ...begin(plan), nodes }).length).toBeLessThan(64 << 10);
  });

  it('of another plan than its id says is refused, however little it differs', () => {
    const plan = planOf([['a', 'b']]);
    const other = { ...plan, options: { ...plan.options, allowDowngrade: true } };
    expect(() => unpackPlan(plan.id, packPlan(other))).toThrow('it is not the one that its id says');
    expect(unpackPlan(plan.id, packPlan({ ...plan, options: { ...plan.options } }))).toEqual(plan);
  });

  it('of a hostile node is refused', () => {
    const plan = planOf([['a', 'b']]);
    const bomb = deflateRawSync(Buffer.alloc(17 << 20));
    for (const bytes of [Buffer.of(), Buffer.from('rubbish'), deflateRawSync('{}'), bomb]) {
      expect(() => unpackPlan(plan.id, bytes)).toThrow('Cannot read the plan of the rollout');
      expect(() => unpackProgress(plan, bytes)).toThrow('Cannot read the progress of the rollout');
    }
    expect(() => unpackProgress(plan, packProgress(begin(planOf([['a']]))))).toThrow('it is of another plan');
  });
});
