// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type FindParts, findRollout } from '../../../../agent/lamactl/rollout/find-rollout.ts';
import type { Plan } from '../../../../agent/lamactl/rollout/plan.ts';
import { packPlan, packProgress } from '../../../../agent/lamactl/rollout/record.ts';
import { begin } from '../../../../agent/lamactl/rollout/state.ts';
import { deadNode, FakeNode } from '../fake-node.ts';
import { FakeClock } from '../fake-world.ts';
import { named, planOf } from './plans.ts';
import { targetOf } from './slot-node.ts';

const rolloutOf = (createdAtMs: number): Plan => named({ ...planOf([['attic'], ['cellar']]), createdAtMs, witnesses: ['attic'] });
const [OLD, NEW] = [rolloutOf(1), rolloutOf(2)];

/** A node that remembers these rollouts. */
function nodeWith(...rollouts: readonly { readonly plan: Plan; readonly ended: boolean }[]): FakeNode {
  const node = new FakeNode();
  for (const { plan, ended } of rollouts) {
    const record = { epoch: 1, sequence: 1, witnesses: plan.witnesses, summary: '', ended, plan: packPlan(plan) };
    node.rollouts.set(plan.id, { promised: { epoch: 1, holder: 'A/1' }, record: { ...record, progress: packProgress(begin(plan)) } });
  }
  return node;
}

function parts(nodes: Readonly<Record<string, FakeNode>>, ...own: readonly { readonly plan: Plan; readonly ended: boolean }[]): FindParts {
  const plans = new Map(own.map(({ plan }) => [plan.id, plan]));
  return {
    connect: async (target, options) => nodes[target.name]!.connect(target, options),
    clock: new FakeClock(),
    timeoutMs: 1_000,
    patienceMs: 1_000,
    journal: {
      plan: async (id) => plans.get(id),
      read: async () => undefined,
      list: async () => own.map(({ plan: { id }, ended }) => ({ id, ended, summary: '', holder: 'B/1' })),
    },
    seal: { open: async () => Promise.reject(new Error('nothing is opened here')) },
    targets: Object.keys(nodes).map((name) => targetOf(name)),
  };
}

describe('the rollout that is meant without an id', () => {
  it('is the one that nodes have under way, not the last that this machine ran', async () => {
    const attic = nodeWith({ plan: NEW, ended: false });
    expect(await findRollout(undefined, parts({ attic }, { plan: OLD, ended: true }))).toBe(NEW.id);
  });

  it('is not one that was taken over and ended elsewhere', async () => {
    const attic = nodeWith({ plan: OLD, ended: true }, { plan: NEW, ended: true });
    expect(await findRollout(undefined, parts({ attic }, { plan: OLD, ended: false }, { plan: NEW, ended: true }))).toBe(NEW.id);
  });

  it('is the one that began last, whichever node tells first', async () => {
    const [attic, cellar] = [nodeWith({ plan: OLD, ended: true }), nodeWith({ plan: NEW, ended: true }, { plan: OLD, ended: true })];
    expect(await findRollout(undefined, parts({ attic, cellar }))).toBe(NEW.id);
  });

  it('has to be said where two have not ended', async () => {
    const [attic, cellar] = [nodeWith({ plan: OLD, ended: false }), nodeWith({ plan: NEW, ended: false })];
    await expect(findRollout(undefined, parts({ attic, cellar }))).rejects.toThrow(`${OLD.id}, ${NEW.id}`);
  });

  it('is one of this machine whose witnesses do not answer, and else none that nodes have forgotten', async () => {
    const own = { plan: OLD, ended: false };
    expect(await findRollout(undefined, parts({ attic: deadNode(), cellar: new FakeNode() }, own))).toBe(OLD.id);
    await expect(findRollout(undefined, parts({ attic: new FakeNode() }, own))).rejects.toThrow('no node that answers knows one');
    expect(await findRollout(undefined, parts({ attic: deadNode() }, { plan: OLD, ended: true }))).toBe(OLD.id);
  });
});
