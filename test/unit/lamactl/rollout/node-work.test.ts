// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { InstallRequest } from '../../../../agent/lamactl/node/node-update.ts';
import { NodeWork, type WorkParts } from '../../../../agent/lamactl/rollout/node-work.ts';
import { operationIdOf } from '../../../../agent/lamactl/rollout/operation-id.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { updateIn } from '../answers.ts';
import { deadNode, type FakeNode } from '../fake-node.ts';
import { FakeClock } from '../fake-world.ts';
import { planOf } from './plans.ts';
import { SlotNode, targetOf } from './slot-node.ts';

const PLAN = planOf([['attic']], { nodeMs: 60_000 });
const signal = new AbortController().signal;
const idOf = (attempt: number) => operationIdOf(PLAN.id, 'attic', attempt);

function workOn(node: FakeNode, more: Partial<WorkParts> = {}): NodeWork {
  return new NodeWork({
    plan: PLAN,
    claim: { rolloutId: PLAN.id, epoch: 1, holder: 'laptop/1' },
    targets: [targetOf('attic')],
    context: [],
    connect: async (target, options) => node.connect(target, options),
    clock: new FakeClock(),
    timeoutMs: 1_000,
    onUpdate: () => {},
    ...more,
  });
}

/** A gate that tells what it was asked. */
class FakeDrain {
  readonly calls: string[] = [];
  failure: Failure | undefined;
  onDrain = (): void => {};

  async drain(): Promise<void> {
    this.calls.push('drain');
    this.onDrain();
    if (this.failure) throw this.failure;
  }

  async release(): Promise<void> {
    this.calls.push('release');
  }

  async serversAmong(): Promise<readonly []> {
    return [];
  }
}

describe('what a rollout does to a node', () => {
  it('installs once, however often it is begun', async () => {
    const node = new SlotNode();
    const committed = { type: 'node-committed', node: 0, version: '2', manifestHash: 'ab12' };
    for (const _ of [1, 2]) expect(await workOn(node).carryOut({ type: 'start', node: 0, attempt: 1 }, signal)).toEqual(committed);
    expect(node.installs).toMatchObject([{ operationId: idOf(1), rolloutFence: { epoch: 1 }, rebootPolicy: 'automatic' }]);
    expect(node.rollouts.get(PLAN.id)?.promised).toEqual({ rolloutId: undefined, epoch: 1, holder: 'laptop/1' });
  });

  it('does not install over the version that an undo needs, when an attempt before it was committed', async () => {
    const node = new SlotNode();
    node.isWell = false;
    const first = await workOn(node).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(first).toMatchObject({ type: 'node-failed', again: false });
    node.isWell = true;
    expect(await workOn(node).carryOut({ type: 'start', node: 0, attempt: 2 }, signal)).toMatchObject({ type: 'node-committed' });
    expect(node.installs).toHaveLength(1);
    expect(await workOn(node).carryOut({ type: 'undo', node: 0, attempt: 2 }, signal)).toEqual({ type: 'node-undone', node: 0 });
    expect(node.versions[node.booted]).toBe('1');
  });

  it('sees an attempt to its end that was given up on before', async () => {
    const node = new SlotNode();
    node.keep(updateIn('downloading', { operationId: idOf(1) }));
    const start = workOn(node).carryOut({ type: 'start', node: 0, attempt: 2 }, signal);
    setImmediate(() => node.keep(updateIn('failed', { operationId: idOf(1) })));
    expect(await start).toMatchObject({ type: 'node-failed', why: 'its update ended as failed' });
    expect(node.installs).toEqual([]);
  });

  it('says that an undo failed when the node runs the version all the same', async () => {
    const node = new SlotNode();
    node.versions['rootfs.0'] = '2';
    node.booted = 'rootfs.1';
    node.versions['rootfs.1'] = '2';
    node.keep(updateIn('committed', { operationId: idOf(2), bundle: { ...updateIn('idle').bundle!, version: '2' } }));
    const undone = await workOn(node).carryOut({ type: 'undo', node: 0, attempt: 2 }, signal);
    expect(undone).toEqual({ type: 'node-undo-failed', node: 0, why: 'it runs 2 still, and has nothing older to return to' });
  });

  it('leaves a node as it is that was updated by somebody else since', async () => {
    const node = new SlotNode();
    await workOn(node).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    node.keep(updateIn('committed', { operationId: 'another' }));
    const undone = await workOn(node).carryOut({ type: 'undo', node: 0, attempt: 1 }, signal);
    expect(undone).toMatchObject({ type: 'node-undo-failed', why: 'it was updated by somebody else since' });
    expect(node.versions[node.booted]).toBe('2');
  });

  it('gives up what was not begun, and keeps what was committed', async () => {
    const node = new SlotNode();
    expect(await workOn(node).carryOut({ type: 'cancel', node: 0, attempt: 1 }, signal)).toEqual({ type: 'node-cancelled', node: 0 });
    expect(await workOn(node).carryOut({ type: 'settle', node: 0, attempt: 1 }, signal)).toEqual({ type: 'node-not-started', node: 0 });
    node.keep(updateIn('downloading', { operationId: idOf(1) }));
    expect(await workOn(node).carryOut({ type: 'cancel', node: 0, attempt: 1 }, signal)).toEqual({ type: 'node-cancelled', node: 0 });
    const other = new SlotNode();
    await workOn(other).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(await workOn(other).carryOut({ type: 'cancel', node: 0, attempt: 1 }, signal)).toMatchObject({ type: 'node-committed' });
  });

  it('looks once more at what a node runs when a wave is watched', async () => {
    const node = new SlotNode();
    await workOn(node).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(await workOn(node).carryOut({ type: 'recheck', nodes: [0] }, signal)).toEqual({ type: 'recheck-passed' });
    node.booted = 'rootfs.0';
    expect(await workOn(node).carryOut({ type: 'recheck', nodes: [0] }, signal)).toMatchObject({
      type: 'recheck-failed',
      why: 'it runs 1 in rootfs.0, and 2 was committed in rootfs.1',
    });
    node.keep({ ...node.last!, phase: 'rolled-back' });
    expect(await workOn(node).carryOut({ type: 'recheck', nodes: [0] }, signal)).toMatchObject({ type: 'recheck-failed' });
  });

  it('takes a node that is off, and one that left the context, for absent', async () => {
    expect(await workOn(deadNode()).carryOut({ type: 'probe', node: 0 }, signal)).toMatchObject({ type: 'node-absent' });
    const gone = workOn(new SlotNode(), { targets: [undefined] });
    const absent = { type: 'node-absent', node: 0, why: 'Cannot reach attic: the context file no longer has it' };
    expect(await gone.carryOut({ type: 'probe', node: 0 }, signal)).toEqual(absent);
    expect(await gone.carryOut({ type: 'cancel', node: 0, attempt: 1 }, signal)).toMatchObject({ type: 'node-failed', why: absent.why });
  });

  it('does not lose its patience while this machine sleeps', async () => {
    const clock = new FakeClock();
    const node = new SlotNode();
    let tries = 0;
    const connect: WorkParts['connect'] = async (target, options) => {
      tries += 1;
      if (tries === 1) clock.pass(8 * 3_600_000);
      if (tries < 3) throw new Failure('NODE_UNREACHABLE', 'Cannot reach attic: the network is down');
      return node.connect(target, options);
    };
    const plan = planOf([['attic']]);
    const outcome = await workOn(node, { clock, connect, plan }).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(outcome).toMatchObject({ type: 'node-committed' });
  });

  it('hears of another runner as of no outcome', async () => {
    const node = new SlotNode();
    node.answers = { ...node.answers, takeRollout: () => Promise.reject(new Failure('ROLLOUT_TAKEN_OVER', 'Cannot go on')) };
    for (const type of ['start', 'settle', 'cancel', 'undo'] as const) {
      await expect(workOn(node).carryOut({ type, node: 0, attempt: 1 }, signal)).rejects.toThrow('Cannot go on');
    }
  });

  it('calls a node done only when the gate of attestation does', async () => {
    const trust = { before: async () => {}, afterwards: () => Promise.reject(new Failure('NOT_TRUSTED', 'Cannot trust attic')) };
    const outcome = await workOn(new SlotNode(), { trust }).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(outcome).toEqual({ type: 'node-failed', node: 0, why: 'Cannot trust attic', again: false });
  });
});

describe('a server of a k3s cluster', () => {
  const server = { k3s: 'server' };
  const plan = planOf([['attic', 'cellar']], { nodeMs: 60_000 }, { attic: 'default', cellar: 'default' });
  const targets = [targetOf('attic', server), targetOf('cellar', server)];
  const context = [...targets, targetOf('shed', server), targetOf('barn', { k3s: 'agent' })];

  /** The servers, and what answers for them. */
  function cluster(nodes: Readonly<Record<string, FakeNode>>, more: Partial<WorkParts> = {}): NodeWork {
    const connect: WorkParts['connect'] = async (target, options) => (nodes[target.name] ?? deadNode()).connect(target, options);
    const claim = { rolloutId: plan.id, epoch: 1, holder: 'laptop/1' };
    return workOn(new SlotNode(), { plan, claim, targets, context, connect, ...more });
  }

  it('does not go down while another of the context is away, or is updated by somebody else', async () => {
    const probe = { type: 'probe', node: 0 } as const;
    const there = { attic: new SlotNode(), cellar: new SlotNode(), shed: new SlotNode() };
    expect(await cluster(there).carryOut(probe, signal)).toEqual({ type: 'node-answered', node: 0 });
    there.shed.keep(updateIn('installing'));
    expect(await cluster(there).carryOut(probe, signal)).toMatchObject({
      type: 'node-absent',
      why: 'shed, another server of its k3s cluster, has an update under way: installing',
    });
    const { shed: _, ...others } = there;
    expect(await cluster(others).carryOut(probe, signal)).toMatchObject({
      type: 'node-absent',
      why: expect.stringContaining('shed, another server of its k3s cluster, does not answer'),
    });
  });

  it('is neither begun nor rebooted by whoever goes on with it while another is away', async () => {
    const start = { type: 'start', node: 0, attempt: 1 } as const;
    const attic = new SlotNode();
    const drain = new FakeDrain();
    const there = { attic, cellar: new SlotNode() };
    expect(await cluster(there, { drain }).carryOut(start, signal)).toEqual({ type: 'node-not-started', node: 0 });
    expect(attic.installs).toEqual([]);
    attic.install({ operationId: operationIdOf(plan.id, 'attic', 1), rebootPolicy: 'manual' } as InstallRequest);
    expect(await cluster(there, { drain }).carryOut(start, signal)).toMatchObject({
      type: 'node-failed',
      why: expect.stringContaining('Cannot reboot attic: shed, another server of its k3s cluster, does not answer'),
      again: false,
    });
    expect([drain.calls.includes('drain'), attic.rebootsOf, attic.last?.phase]).toEqual([false, [], 'rolled-back']);
  });

  it('keeps its version in an undo while another is away', async () => {
    const attic = new SlotNode();
    attic.keep(updateIn('committed', { operationId: operationIdOf(plan.id, 'attic', 1) }));
    const undo = { type: 'undo', node: 0, attempt: 1 } as const;
    expect(await cluster({ attic, shed: new SlotNode() }).carryOut(undo, signal)).toMatchObject({
      type: 'node-undo-failed',
      why: expect.stringContaining('cellar, another server of its k3s cluster, does not answer'),
    });
    expect(attic.last?.phase).toBe('committed');
    const back = cluster({ attic, cellar: new SlotNode(), shed: new SlotNode() });
    expect(await back.carryOut(undo, signal)).toEqual({ type: 'node-undone', node: 0 });
  });
});

describe('very many nodes', () => {
  it('are not all asked at once', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `node-${index}`);
    let [open, most] = [0, 0];
    const connect: WorkParts['connect'] = async (target, options) => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      const connection = await new SlotNode().connect(target, options);
      return { ...connection, close: () => void open-- };
    };
    const plan = planOf([names]);
    const work = workOn(new SlotNode(), { plan, targets: names.map((name) => targetOf(name)), connect });
    const outcomes = await Promise.all(names.map((_, node) => work.carryOut({ type: 'probe', node }, signal)));
    expect(outcomes.every(({ type }) => type === 'node-answered')).toBe(true);
    expect([open, most]).toEqual([0, 64]);
  });
});

describe('a node of a cluster', () => {
  const inCluster = { targets: [targetOf('attic', { k3s: 'agent' })] };

  it('is drained before it reboots, and opened afterwards', async () => {
    const node = new SlotNode();
    const drain = new FakeDrain();
    const work = workOn(node, { ...inCluster, drain });
    drain.onDrain = () => expect([node.rebootsOf, work.cordoned]).toEqual([[], ['attic']]);
    expect(await work.carryOut({ type: 'start', node: 0, attempt: 1 }, signal)).toMatchObject({ type: 'node-committed' });
    expect(node.installs).toMatchObject([{ rebootPolicy: 'manual' }]);
    expect(node.rebootsOf).toMatchObject([{ operationId: idOf(1), rolloutFence: { epoch: 1 } }]);
    expect([drain.calls, work.cordoned]).toEqual([['drain', 'release'], []]);
  });

  it('reboots once when the answer to that is lost', async () => {
    const node = new SlotNode();
    node.losesAnswer = true;
    const work = workOn(node, { ...inCluster, drain: new FakeDrain() });
    expect(await work.carryOut({ type: 'start', node: 0, attempt: 1 }, signal)).toMatchObject({ type: 'node-committed' });
    expect(node.rebootsOf).toHaveLength(1);
  });

  it.each([{ role: 'nas.k3s' }, { k3s: 'server' }])('is known by its labels: %o', async (labels) => {
    const drain = new FakeDrain();
    await workOn(new SlotNode(), { targets: [targetOf('attic', labels)], drain }).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(drain.calls).toEqual(['drain', 'release']);
  });

  it('is the only kind that waits for lamactl with its reboot', async () => {
    const node = new SlotNode();
    const drain = new FakeDrain();
    await workOn(node, { drain }).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(node.installs).toMatchObject([{ rebootPolicy: 'automatic' }]);
    expect(drain.calls).toEqual([]);
  });

  it.each(['undo', 'cancel', 'settle'] as const)(
    'is opened by whoever goes on with the %s of a node that is back already',
    async (type) => {
      const node = new SlotNode();
      await workOn(node).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
      node.booted = 'rootfs.0';
      node.keep({ ...node.last!, phase: 'rolled-back' });
      const drain = new FakeDrain();
      await workOn(node, { ...inCluster, drain }).carryOut({ type, node: 0, attempt: 1 }, signal);
      expect(drain.calls).toEqual(['release']);
    },
  );

  it.each([
    ['cancel', { type: 'node-cancelled', node: 0 }],
    ['undo', { type: 'node-undone', node: 0 }],
  ] as const)('is neither drained nor rebooted by the %s of an update that it has not booted into', async (type, outcome) => {
    const node = new SlotNode();
    node.install({ operationId: idOf(1), rebootPolicy: 'manual' } as InstallRequest);
    const drain = new FakeDrain();
    expect(await workOn(node, { ...inCluster, drain }).carryOut({ type, node: 0, attempt: 1 }, signal)).toEqual(outcome);
    expect([drain.calls, node.rebootsOf, node.last?.phase, node.versions[node.booted]]).toEqual([['release'], [], 'rolled-back', '1']);
  });

  it('has rolled a version back that failed, although it was to be given up', async () => {
    const node = new SlotNode();
    const reason = { code: 'CHECK_FAILED', message: 'web failed', failedChecks: [], remedy: '' };
    node.keep(updateIn('rolled-back', { operationId: idOf(1), reason }));
    const outcome = await workOn(node, inCluster).carryOut({ type: 'cancel', node: 0, attempt: 1 }, signal);
    expect(outcome).toEqual({ type: 'node-rolled-back', node: 0, why: 'web failed' });
  });

  it('keeps its version when it cannot be drained', async () => {
    const node = new SlotNode();
    const drain = new FakeDrain();
    drain.failure = new Failure('DRAIN_FAILED', 'Cannot drain attic, which is uncordoned again: a budget');
    const outcome = await workOn(node, { ...inCluster, drain }).carryOut({ type: 'start', node: 0, attempt: 1 }, signal);
    expect(outcome).toMatchObject({ type: 'node-failed', why: expect.stringContaining('a budget') });
    expect([node.rebootsOf, node.last?.phase]).toEqual([[], 'rolled-back']);
  });

  it('is named when it stays cordoned', async () => {
    const ctrlC = new AbortController();
    const drain = new FakeDrain();
    drain.onDrain = () => ctrlC.abort();
    drain.failure = new Failure('DRAIN_FAILED', 'Cannot drain attic, and it stays cordoned', { cordoned: 'attic' });
    const work = workOn(new SlotNode(), { ...inCluster, drain });
    await expect(work.carryOut({ type: 'start', node: 0, attempt: 1 }, ctrlC.signal)).rejects.toThrow();
    expect(work.cordoned).toEqual(['attic']);
  });
});
