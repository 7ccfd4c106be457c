// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Witnesses } from '../../../../agent/lamactl/rollout/witnesses.ts';
import { Failure, type FailureCode } from '../../../../agent/shared/failure.ts';
import { deadNode, FakeNode } from '../fake-node.ts';
import { FakeClock } from '../fake-world.ts';
import { targetOf } from './slot-node.ts';

const ID = '11111111-2222-8333-8444-555555555555';
const claim = { rolloutId: ID, epoch: 1, holder: 'laptop/1' };
const write = {
  ...claim,
  sequence: 1,
  witnesses: [],
  summary: '',
  ended: false,
  plan: Buffer.from('plan'),
  progress: Buffer.from('p'),
  replaced: [],
};
const signal = new AbortController().signal;

function witnessesOf(nodes: Readonly<Record<string, FakeNode>>, unknown = 0, onWait: (found: string) => void = () => {}): Witnesses {
  const targets = [...Object.keys(nodes).map((name) => targetOf(name)), ...Array.from({ length: unknown }, () => undefined)];
  return new Witnesses(targets, {
    // One of them is faster than the others.
    connect: async (target, options) => {
      if (target.name !== 'bad') await new Promise((resolve) => setTimeout(resolve, 5));
      return nodes[target.name]!.connect(target, options);
    },
    clock: new FakeClock(),
    timeoutMs: 1_000,
    patienceMs: 900_000,
    onWait,
  });
}

function refusing(code: FailureCode): FakeNode {
  const refuse = async (): Promise<never> => {
    throw new Failure(code, `Cannot: ${code}`);
  };
  const node = new FakeNode();
  node.answers = { putRollout: refuse, takeRollout: refuse, rollout: refuse };
  return node;
}

describe('the witnesses of a rollout', () => {
  it('have written down what a majority of them has', async () => {
    const nodes = { a: new FakeNode(), b: new FakeNode(), c: deadNode() };
    await witnessesOf(nodes).put(write, signal);
    expect([nodes.a, nodes.b].map(({ rollouts }) => rollouts.get(ID)?.record?.sequence)).toEqual([1, 1]);
  });

  it('have not, while one alone has it', async () => {
    const put = witnessesOf({ a: new FakeNode(), b: deadNode(), c: deadNode() }).put(write, signal);
    await expect(put).rejects.toMatchObject({ code: 'ROLLOUT_UNRECORDED', message: expect.stringContaining('1 of the 2 witnesses') });
  });

  it.each<FailureCode>(['NODE_UNTRUSTED', 'JOURNAL_UNREADABLE', 'PERMISSION_DENIED', 'INTERNAL', 'ROLLOUT_TAKEN_OVER'])(
    'do without one that answers %s',
    async (code) => {
      const nodes = { bad: refusing(code), a: new FakeNode(), b: new FakeNode() };
      await witnessesOf(nodes).put(write, signal);
      expect(await witnessesOf(nodes).read(ID, signal)).toHaveLength(2);
    },
  );

  it('say that another runner holds it as soon as no majority is left', async () => {
    const nodes = { a: refusing('ROLLOUT_TAKEN_OVER'), b: refusing('PERMISSION_DENIED'), c: deadNode() };
    await expect(witnessesOf(nodes).put(write, signal)).rejects.toMatchObject({ code: 'ROLLOUT_TAKEN_OVER' });
  });

  it('do without one that the context no longer has, and say so when it takes more', async () => {
    await witnessesOf({ a: new FakeNode(), b: new FakeNode() }, 1).put(write, signal);
    const put = witnessesOf({ a: new FakeNode() }, 2).put(write, signal);
    await expect(put).rejects.toThrow('the context file no longer has 2 of them');
  });

  it('are told of while they are waited for, and not where they answer', async () => {
    const told: string[] = [];
    const onWait = (found: string) => void told.push(found);
    await witnessesOf({ a: new FakeNode(), b: new FakeNode() }, 0, onWait).put(write, signal);
    expect(told).toEqual([]);
    await witnessesOf({ a: new FakeNode(), b: deadNode() }, 0, onWait)
      .put(write, signal)
      .catch(() => {});
    expect(told).toEqual([expect.stringMatching(/^1 of the 2 witnesses that it takes have answered \(Cannot reach .*\)$/)]);
  });

  it('are not waited for once lamactl is told to end', async () => {
    const ctrlC = new AbortController();
    const silent = new FakeNode();
    silent.answers = { putRollout: () => new Promise(() => {}) };
    const put = witnessesOf({ a: silent }).put(write, ctrlC.signal);
    ctrlC.abort();
    await expect(put).rejects.toMatchObject({ code: 'ROLLOUT_UNRECORDED' });
  });
});
