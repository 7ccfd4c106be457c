// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RolloutEffect, RolloutEvent } from '../../../../agent/lamactl/rollout/event.ts';
import { begin, hasEnded, type RolloutState } from '../../../../agent/lamactl/rollout/state.ts';
import { transition } from '../../../../agent/lamactl/rollout/transition.ts';
import { planOf } from './plans.ts';

type NewEvent = RolloutEvent extends infer E ? (E extends RolloutEvent ? Omit<E, 'atMs'> : never) : never;

/** A rollout whose events the test makes. */
class Run {
  effects: readonly RolloutEffect[] = [];

  constructor(
    public state: RolloutState,
    public nowMs = 0,
  ) {
    this.say({ type: 'runner-began' });
  }

  say(event: NewEvent): this {
    const next = transition(this.state, { ...event, atMs: this.nowMs } as RolloutEvent);
    this.state = next.state;
    this.effects = next.effects;
    return this;
  }

  /** Brings a node into flight, and to its commit. */
  commit(node: number, manifestHash = 'ab'): this {
    return this.say({ type: 'node-answered', node }).say({ type: 'node-committed', node, version: '2', manifestHash });
  }

  /** An administrator who may be refused; to end it, only where it waits, or when it is meant. */
  trySay(type: 'resume' | 'pause' | 'abort' | 'undo', isMeant: boolean): void {
    const waits = this.state.phase === 'paused' || this.state.phase === 'halted';
    if ((type === 'abort' || type === 'undo' || type === 'pause') && !waits && !isMeant) return;
    try {
      this.say({ type });
    } catch (error) {
      expect(error).toMatchObject({ code: 'ROLLOUT_REFUSED' });
    }
  }

  steps(): readonly string[] {
    return this.state.nodes.map(({ step }) => step);
  }
}

const run = (...plan: Parameters<typeof planOf>) => new Run(begin(planOf(...plan)));

describe('a rollout', () => {
  it('asks whether a node is there, and starts it only then', () => {
    const rollout = run([['a'], ['b']]);
    expect(rollout.effects).toEqual([{ type: 'probe', node: 0 }]);
    expect(rollout.steps()).toEqual(['pending', 'pending']);
    rollout.say({ type: 'node-answered', node: 0 });
    expect(rollout.effects).toEqual([{ type: 'start', node: 0, attempt: 1 }]);
    expect(rollout.steps()).toEqual(['in-flight', 'pending']);
  });

  it('goes on to the next wave when the last node of one has committed, and is done after the last', () => {
    const rollout = run([['a', 'b'], ['c']], { maxUnavailable: 2 });
    rollout.commit(0);
    expect(rollout.effects).toEqual([]);
    rollout.commit(1);
    expect(rollout.effects).toEqual([{ type: 'probe', node: 2 }]);
    expect(rollout.commit(2).state.phase).toBe('done');
  });

  it('stops when the version rolled back anywhere, sees to its end what was begun, and is not resumed', () => {
    const rollout = run([['a', 'b', 'c']], { maxUnavailable: 2 });
    rollout.say({ type: 'node-answered', node: 0 }).say({ type: 'node-answered', node: 1 });
    rollout.say({ type: 'node-rolled-back', node: 0, why: 'check web failed' });
    expect(rollout.state).toMatchObject({ phase: 'halted', why: 'a rolled back: check web failed' });
    expect(rollout.effects).toEqual([]);
    rollout.say({ type: 'node-committed', node: 1, version: '2', manifestHash: 'ab' });
    expect(rollout.steps()).toEqual(['rolled-back', 'done', 'pending']);
    expect(() => rollout.say({ type: 'resume' })).toThrow('the version was rolled back on a; abort the rollout, or undo it');
  });

  it('goes on past as many failures as are tolerated', () => {
    const rollout = run([['a', 'b', 'c']], { tolerate: 1 });
    rollout.say({ type: 'node-answered', node: 0 }).say({ type: 'node-rolled-back', node: 0, why: 'x' });
    expect(rollout.state.phase).toBe('running');
    rollout.say({ type: 'node-answered', node: 1 }).say({ type: 'node-rolled-back', node: 1, why: 'x' });
    expect(rollout.state.phase).toBe('halted');
  });

  it('tries a node again when nothing was wrong with it, three times at most', () => {
    const rollout = run([['a']]);
    for (const attempt of [1, 2, 3]) {
      rollout.say({ type: 'node-answered', node: 0 });
      expect(rollout.effects).toEqual([{ type: 'start', node: 0, attempt }]);
      rollout.say({ type: 'node-failed', node: 0, why: 'the client went away', again: true });
    }
    expect(rollout.state.phase).toBe('halted');
    expect(rollout.say({ type: 'resume' }).effects).toEqual([{ type: 'probe', node: 0 }]);
  });

  it('leaves a node that is away pending, asks it again when time passes, and goes on without it in the end', () => {
    const rollout = run([['a'], ['b']], { absentMs: 60_000 });
    rollout.say({ type: 'node-absent', node: 0, why: 'nothing listens there' });
    expect(rollout.effects).toEqual([]);
    expect(rollout.state.nodes[0]).toMatchObject({ step: 'pending', why: 'nothing listens there' });
    rollout.nowMs = 30_000;
    expect(rollout.say({ type: 'time-passed' }).effects).toEqual([{ type: 'probe', node: 0 }]);
    rollout.say({ type: 'node-absent', node: 0, why: 'nothing listens there' });
    rollout.nowMs = 60_000;
    expect(rollout.say({ type: 'time-passed' }).effects).toEqual([{ type: 'probe', node: 1 }]);
    expect(rollout.steps()).toEqual(['skipped', 'pending']);
  });

  it('has no two servers of a k3s cluster down at once, whatever may be down otherwise', () => {
    const rollout = run([['a', 'b', 'c']], { maxUnavailable: 3 }, { a: 'home', b: 'home', c: 'other' });
    expect(rollout.effects).toEqual([
      { type: 'probe', node: 0 },
      { type: 'probe', node: 2 },
    ]);
    expect(rollout.commit(0).effects).toEqual([{ type: 'probe', node: 1 }]);
  });

  it('leaves out the other servers of a k3s cluster of which one failed or stays away', () => {
    const rollout = run([['a', 'b']], { absentMs: 10, tolerate: 1 }, { a: 'home', b: 'home' });
    rollout.say({ type: 'node-absent', node: 0, why: 'off' });
    expect(rollout.effects).toEqual([]);
    rollout.nowMs = 10;
    rollout.say({ type: 'time-passed' });
    expect(rollout.steps()).toEqual(['skipped', 'skipped']);
    expect(rollout.state).toMatchObject({ phase: 'done', nodes: [{}, { why: expect.stringContaining('would lose its quorum') }] });
  });

  it('begins one of two servers that answer at once', () => {
    const rollout = run([['a', 'b']], { maxUnavailable: 2 }, { a: 'home', b: 'home' });
    rollout.state = { ...rollout.state, nodes: rollout.state.nodes.map((node) => ({ ...node, probing: true, absentSinceMs: 0 })) };
    rollout.say({ type: 'node-answered', node: 0 });
    expect(rollout.steps()).toEqual(['pending', 'pending']);
    rollout.say({ type: 'node-answered', node: 1 });
    expect(rollout.steps().filter((step) => step === 'in-flight')).toHaveLength(1);
  });

  it('goes on when two servers that were away come back', () => {
    const rollout = run([['a', 'b']], {}, { a: 'home', b: 'home' });
    rollout.say({ type: 'node-absent', node: 0, why: 'off' });
    rollout.nowMs = 1;
    rollout.say({ type: 'time-passed' }).commit(0);
    expect(rollout.effects).toEqual([{ type: 'probe', node: 1 }]);
  });

  it('watches a wave for a while and looks at it once more before it goes on', () => {
    const rollout = run([['a'], ['b']], { soakMs: 600_000 }).commit(0);
    expect(rollout.effects).toEqual([]);
    rollout.nowMs = 599_999;
    expect(rollout.say({ type: 'time-passed' }).effects).toEqual([]);
    rollout.nowMs = 600_000;
    expect(rollout.say({ type: 'time-passed' }).effects).toEqual([{ type: 'recheck', nodes: [0] }]);
    expect(new Run(rollout.state, rollout.nowMs).effects).toEqual([{ type: 'recheck', nodes: [0] }]);
    expect(rollout.say({ type: 'recheck-passed' }).effects).toEqual([{ type: 'probe', node: 1 }]);
  });

  it('halts when a node is no longer well after the soak', () => {
    const rollout = run([['a'], ['b']], { soakMs: 1 }).commit(0);
    rollout.nowMs = 1;
    rollout.say({ type: 'time-passed' }).say({ type: 'recheck-failed', node: 0, why: 'web failed' });
    expect(rollout.state).toMatchObject({ phase: 'halted', why: 'a failed: web failed' });
  });

  it.each([0, 10])('pauses after the wave that was said, with a soak of %i ms', (soakMs) => {
    const rollout = run([['a'], ['b'], ['c']], { pauseAfter: 1, soakMs }).commit(0);
    rollout.nowMs = soakMs;
    rollout.say({ type: 'time-passed' }).say({ type: 'recheck-passed' });
    expect(rollout.state).toMatchObject({ phase: 'paused', why: 'it was to pause after wave 1' });
    expect(rollout.say({ type: 'resume' }).effects).toEqual([{ type: 'probe', node: 1 }]);
  });

  it('starts nothing while it is paused, not even a node that has just answered', () => {
    const rollout = run([['a', 'b']], { maxUnavailable: 2 });
    rollout.say({ type: 'node-answered', node: 0 }).say({ type: 'pause' }).say({ type: 'node-answered', node: 1 });
    expect(rollout.effects).toEqual([]);
    expect(rollout.steps()).toEqual(['in-flight', 'pending']);
    // Whoever begins now does not know whether the request went out.
    expect(new Run(rollout.state).effects).toEqual([{ type: 'settle', node: 0, attempt: 1 }]);
  });

  it('gives up what is in flight when it is aborted, and starts nothing more', () => {
    const rollout = run([['a', 'b']], { maxUnavailable: 1 })
      .say({ type: 'node-answered', node: 0 })
      .say({ type: 'abort' });
    expect(rollout.effects).toEqual([{ type: 'cancel', node: 0, attempt: 1 }]);
    expect(rollout.say({ type: 'node-cancelled', node: 0 }).state.phase).toBe('aborted');
    expect(rollout.steps()).toEqual(['cancelled', 'pending']);
    expect(() => rollout.say({ type: 'resume' })).toThrow('Cannot resume the rollout: it is aborted');
  });

  it('brings back what was done, the last first, no more at once than may be down', () => {
    const rollout = run([['a', 'b', 'c']])
      .commit(0)
      .commit(1)
      .say({ type: 'node-answered', node: 2 })
      .say({ type: 'undo' });
    expect(rollout.effects).toEqual([{ type: 'cancel', node: 2, attempt: 1 }]);
    expect(rollout.say({ type: 'node-cancelled', node: 2 }).effects).toEqual([{ type: 'undo', node: 1, attempt: 1 }]);
    expect(rollout.say({ type: 'node-undone', node: 1 }).effects).toEqual([{ type: 'undo', node: 0, attempt: 1 }]);
    rollout.say({ type: 'node-undo-failed', node: 0, why: 'it was updated since' });
    expect(rollout.state.phase).toBe('undone');
    expect(rollout.steps()).toEqual(['undo-failed', 'undone', 'cancelled']);
    // Once the node is back.
    expect(rollout.say({ type: 'undo' }).effects).toEqual([{ type: 'undo', node: 0, attempt: 1 }]);
    expect(rollout.state.phase).toBe('undoing');
    expect(rollout.say({ type: 'node-undone', node: 0 }).state.phase).toBe('undone');
    expect(rollout.say({ type: 'undo' }).effects).toEqual([]);
  });

  it('brings servers of a k3s cluster back one by one, and those first that failed', () => {
    const rollout = run([['a', 'b']], { maxUnavailable: 2, soakMs: 1 }, { a: 'home', b: 'home' })
      .commit(0)
      .commit(1);
    rollout.nowMs = 1;
    rollout.say({ type: 'time-passed' }).say({ type: 'recheck-failed', node: 0, why: 'web failed' });
    expect(rollout.say({ type: 'undo' }).effects).toEqual([{ type: 'undo', node: 0, attempt: 1 }]);
    expect(rollout.say({ type: 'node-undone', node: 0 }).effects).toEqual([{ type: 'undo', node: 1, attempt: 1 }]);
  });

  it('does not take another bundle from the same URL', () => {
    const rollout = run([['a'], ['b']])
      .commit(0, 'ab')
      .commit(1, 'cd');
    expect(rollout.state).toMatchObject({ phase: 'halted', why: expect.stringContaining('what lies behind the URL has changed') });
  });

  it('begins no node of a later wave that was asked before it went back to an earlier one', () => {
    const rollout = run([['a'], ['b', 'c']], { maxUnavailable: 2, tolerate: 1 });
    const fail = (node: number) => rollout.say({ type: 'node-answered', node }).say({ type: 'node-failed', node, why: 'x', again: false });
    fail(0);
    fail(1);
    expect(rollout.state).toMatchObject({ phase: 'halted', wave: 1 });
    rollout.say({ type: 'resume' }).say({ type: 'node-answered', node: 2 });
    expect(rollout.steps()).toEqual(['pending', 'pending', 'pending']);
    expect(rollout.state.wave).toBe(0);
  });

  it('passes over what comes late', () => {
    const rollout = run([['a'], ['b']]).commit(0);
    const { state } = rollout;
    rollout.say({ type: 'node-rolled-back', node: 0, why: 'late' }).say({ type: 'node-answered', node: 0 });
    expect(rollout.state).toEqual(state);
  });
});

/* What a fleet may do to a rollout: for each effect one of these answers, some time. */
const ANSWERS: Readonly<Record<RolloutEffect['type'], (node: number) => readonly NewEvent[]>> = {
  probe: (node) => [
    { type: 'node-answered', node },
    { type: 'node-absent', node, why: 'off' },
  ],
  start: (node) => [
    { type: 'node-committed', node, version: '2', manifestHash: 'ab' },
    { type: 'node-rolled-back', node, why: 'x' },
    { type: 'node-failed', node, why: 'x', again: true },
    { type: 'node-failed', node, why: 'x', again: false },
  ],
  settle: (node) => [
    { type: 'node-not-started', node },
    { type: 'node-committed', node, version: '2', manifestHash: 'ab' },
  ],
  cancel: (node) => [
    { type: 'node-cancelled', node },
    { type: 'node-committed', node, version: '2', manifestHash: 'ab' },
  ],
  undo: (node) => [
    { type: 'node-undone', node },
    { type: 'node-undo-failed', node, why: 'x' },
  ],
  recheck: (node) => [{ type: 'recheck-passed' }, { type: 'recheck-failed', node, why: 'x' }],
};

const plans = fc
  .record({
    waves: fc.array(fc.array(fc.constantFrom('', '', 'home', 'other'), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
    maxUnavailable: fc.integer({ min: 1, max: 4 }),
    tolerate: fc.integer({ min: 0, max: 6 }),
    soakMs: fc.constantFrom(0, 1_000),
    pauseAfter: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ waves, ...options }) => {
    const named = waves.map((wave, number) => wave.map((_, index) => `n${number}-${index}`));
    const serves = Object.fromEntries(waves.flatMap((wave, number) => wave.map((cluster, index) => [`n${number}-${index}`, cluster])));
    return planOf(named, { ...options, absentMs: 100_000 }, serves);
  });

describe('any rollout', () => {
  it('never has more nodes down than are allowed, nor two waves, nor two servers of a cluster at once, and comes to an end', () => {
    fc.assert(
      fc.property(plans, fc.infiniteStream(fc.nat()), (plan, choices) => {
        const choose = (count: number): number => (choices.next().value ?? 0) % count;
        const rollout = new Run(begin(plan));
        let open: RolloutEffect[] = [...rollout.effects];
        for (let turn = 0; turn < 400 && !hasEnded(rollout.state); turn++) {
          const what = choose(20);
          if (what === 0) {
            // Another machine goes on; nobody hears any more of what the first one asked.
            open = [];
            rollout.say({ type: 'runner-began' });
          } else if (open.length === 0 || what < 3) {
            rollout.nowMs += 20_000;
            rollout.say({ type: 'time-passed' });
            rollout.trySay(choose(10) === 0 ? 'undo' : choose(2) === 0 ? 'resume' : what === 2 ? 'pause' : 'abort', choose(30) === 0);
          } else {
            const [effect] = open.splice(choose(open.length), 1);
            const answers = ANSWERS[effect!.type]('node' in effect! ? effect.node : effect!.nodes[0]!);
            rollout.say(answers[choose(answers.length)]!);
          }
          open.push(...rollout.effects);
          allowed(rollout.state);
        }
        expect(hasEnded(rollout.state)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

function allowed({ plan, nodes }: RolloutState): void {
  const down = plan.nodes.filter((_, index) => nodes[index]!.step === 'in-flight' || nodes[index]!.step === 'undoing');
  expect(down.length).toBeLessThanOrEqual(plan.options.maxUnavailable);
  const going = plan.nodes.filter((_, index) => nodes[index]!.step === 'in-flight');
  expect(new Set(going.map(({ wave }) => wave)).size).toBeLessThanOrEqual(1);
  const servers = down.map(({ serves }) => serves).filter((cluster) => cluster !== '');
  expect(new Set(servers).size).toBe(servers.length);
}
