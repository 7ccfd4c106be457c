// SPDX-License-Identifier: Apache-2.0
import type { Plan } from '../../../../agent/lamactl/rollout/plan.ts';
import { planIdOf } from '../../../../agent/lamactl/rollout/record.ts';

type Options = Partial<Plan['options']>;

/** A plan whose waves are these lists of nodes. */
export function planOf(waves: readonly (readonly string[])[], options: Options = {}, serves: Readonly<Record<string, string>> = {}): Plan {
  return named({
    id: '',
    salt: '',
    createdAtMs: 0,
    bundle: { argument: '/v2.raucb', source: { path: '/v2.raucb' }, version: '2', compatible: '' },
    options: {
      maxUnavailable: 1,
      tolerate: 0,
      gates: ['health'],
      window: '',
      pauseAfter: 0,
      soakMs: 0,
      absentMs: 60_000,
      nodeMs: 1_800_000,
      bytesPerSecond: 0,
      force: false,
      allowDowngrade: false,
      ...options,
    },
    nodes: waves.flatMap((names, wave) => names.map((name) => ({ name, wave, serves: serves[name] ?? '' }))),
    waves: waves.length,
    witnesses: waves.flat().slice(0, 1),
  });
}

/** The plan with the id that follows from it. */
export const named = (plan: Plan): Plan => ({ ...plan, id: planIdOf(plan) });
