// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { RolloutEffect } from '../../../../agent/lamactl/rollout/event.ts';
import type { Journaled } from '../../../../agent/lamactl/rollout/journal.ts';
import { unpackProgress } from '../../../../agent/lamactl/rollout/record.ts';
import { Runner, type RunnerParts } from '../../../../agent/lamactl/rollout/runner.ts';
import { begin, type RolloutState } from '../../../../agent/lamactl/rollout/state.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { FakeClock } from '../fake-world.ts';
import { planOf } from './plans.ts';

type Outcome = Awaited<ReturnType<Parameters<Runner['run']>[0]['carryOut']>>;

const PLAN = planOf([['attic'], ['cellar']], { absentMs: 600_000 });
const signal = new AbortController().signal;

/** A world in which a runner's records and effects are told in the order in which they came. */
class Desk {
  readonly told: string[] = [];
  readonly journaled: Journaled[] = [];
  readonly clock = new FakeClock();
  put: RunnerParts['witnesses']['put'] = async () => {};
  outcome = async (effect: RolloutEffect): Promise<Outcome> => {
    if (effect.type === 'probe') return { type: 'node-answered', node: effect.node };
    if (effect.type === 'start') return { type: 'node-committed', node: effect.node, version: '2', manifestHash: 'x' };
    throw new Error(`nobody expects ${effect.type}`);
  };

  runner(state: RolloutState = begin(PLAN), sequence = 0): Runner {
    const journal: RunnerParts['journal'] = {
      write: async (journaled) => {
        this.told.push(`journal ${journaled.sequence}`);
        this.journaled.push(journaled);
      },
    };
    const witnesses: RunnerParts['witnesses'] = {
      put: async (write, stop) => {
        await this.put(write, stop);
        const { nodes } = unpackProgress(PLAN, write.progress);
        this.told.push(`witnesses ${write.sequence} ${nodes.map(({ step }) => step)}`);
      },
    };
    const seal: RunnerParts['seal'] = { close: async ({ progress }) => progress };
    const claim = { rolloutId: PLAN.id, epoch: 1, holder: 'laptop/1' };
    return new Runner({ claim, journal, seal, witnesses, clock: this.clock, onChange: () => {} }, state, sequence);
  }

  work = {
    carryOut: async (effect: RolloutEffect): Promise<Outcome> => {
      this.told.push(effect.type === 'recheck' ? effect.type : `${effect.type} ${effect.node}`);
      return this.outcome(effect);
    },
  };
}

describe('the runner of a rollout', () => {
  it('writes down what it does on this machine, then on the witnesses, and only then does it', async () => {
    const desk = new Desk();
    const state = await desk.runner().run(desk.work, signal);
    expect(state.phase).toBe('done');
    expect(desk.told).toEqual([
      'journal 1',
      'witnesses 1 pending,pending',
      'probe 0',
      'journal 2',
      'witnesses 2 in-flight,pending',
      'start 0',
      'journal 3',
      'witnesses 3 done,pending',
      'probe 1',
      'journal 4',
      'witnesses 4 done,in-flight',
      'start 1',
      'journal 5',
      'witnesses 5 done,done',
    ]);
  });

  it('does nothing that is not on record', async () => {
    const desk = new Desk();
    desk.put = () => Promise.reject(new Failure('ROLLOUT_UNRECORDED', 'Cannot record the rollout'));
    await expect(desk.runner().run(desk.work, signal)).rejects.toMatchObject({ code: 'ROLLOUT_UNRECORDED' });
    expect(desk.told).toEqual(['journal 1']);
  });

  it('puts an order on record before anything is done about it, and what is refused not at all', async () => {
    const desk = new Desk();
    const state: RolloutState = { ...begin(PLAN), nodes: [{ step: 'in-flight', attempt: 1, why: '' }, begin(PLAN).nodes[1]!] };
    const runner = desk.runner(state, 7);
    await runner.record([{ type: 'abort' }], signal);
    expect(desk.told).toEqual(['journal 8', 'witnesses 8 in-flight,pending']);
    expect(runner.state.phase).toBe('aborting');
    desk.outcome = async () => ({ type: 'node-cancelled', node: 0 });
    expect(await runner.run(desk.work, signal)).toMatchObject({ phase: 'aborted' });
    await expect(runner.record([{ type: 'pause' }], signal)).rejects.toMatchObject({ code: 'ROLLOUT_REFUSED' });
  });

  it('ends when another runner holds the rollout', async () => {
    const desk = new Desk();
    desk.outcome = () => Promise.reject(new Failure('ROLLOUT_TAKEN_OVER', 'Cannot go on with the rollout'));
    await expect(desk.runner().run(desk.work, signal)).rejects.toMatchObject({ code: 'ROLLOUT_TAKEN_OVER' });
  });

  it('ends without a failure when it is told to while no witness answers', async () => {
    const desk = new Desk();
    const ctrlC = new AbortController();
    desk.put = (_write, stop) =>
      new Promise((_, reject) => stop.addEventListener('abort', () => reject(new Failure('ROLLOUT_UNRECORDED', 'Cannot record'))));
    setImmediate(() => ctrlC.abort());
    expect(await desk.runner().run(desk.work, ctrlC.signal)).toMatchObject({ phase: 'running' });
    expect(desk.told).toEqual(['journal 1']);
  });

  it('lets what is under way put things in order when it is told to end', async () => {
    const desk = new Desk();
    const ctrlC = new AbortController();
    desk.outcome = async () => {
      ctrlC.abort();
      await Promise.resolve();
      desk.told.push('in order');
      throw new Error('interrupted');
    };
    await desk.runner().run(desk.work, ctrlC.signal);
    expect(desk.told.at(-1)).toBe('in order');
  });

  it('goes on without no node that was away only while this machine slept', async () => {
    const desk = new Desk();
    let asked = 0;
    desk.outcome = async (effect) => {
      if (effect.type === 'start') return { type: 'node-committed', node: effect.node, version: '2', manifestHash: 'x' };
      if (effect.type !== 'probe') throw new Error(effect.type);
      asked += 1;
      if (asked === 2) desk.clock.pass(8 * 3_600_000);
      const answers = asked > 3 || effect.node === 1;
      return answers ? { type: 'node-answered', node: effect.node } : { type: 'node-absent', node: effect.node, why: 'off' };
    };
    expect((await desk.runner().run(desk.work, signal)).nodes.map(({ step }) => step)).toEqual(['done', 'done']);
  });
});
