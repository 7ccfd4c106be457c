// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { limitRate } from '../../../../agent/daemon/delivery/rate-limit.ts';
import { FakeClock } from '../../fakes/clock.ts';

const LIVE = new AbortController().signal;

async function* pieces(...sizes: number[]): AsyncIterable<Buffer> {
  for (const size of sizes) yield Buffer.alloc(size);
}

/** Writes down when each piece came through, and how large it was. */
async function record(clock: FakeClock, limited: AsyncIterable<Buffer>, into: [number, number][]): Promise<void> {
  for await (const { length } of limited) into.push([clock.monotonicMs(), length]);
}

describe('a rate', () => {
  it('delays each piece by the time that those before it are worth', async () => {
    const clock = new FakeClock();
    const came: [number, number][] = [];
    const done = record(clock, limitRate(100, clock)(pieces(100, 50, 200, 1), LIVE), came);
    await clock.advance(10_000);
    await done;
    expect(came).toEqual([
      [0, 100],
      [1_000, 50],
      [1_500, 200],
      [3_500, 1],
    ]);
  });

  it('is shared by all that is read at the same time, and by what is read next', async () => {
    const clock = new FakeClock();
    const throttle = limitRate(100, clock);
    const came: [number, number][] = [];
    const both = [1, 2].map(() => record(clock, throttle(pieces(100, 100, 100), LIVE), came));
    await clock.advance(60_000);
    await Promise.all(both);
    const lastMs = Math.max(...came.map(([atMs]) => atMs));
    expect(lastMs).toBe(4_000);
    expect(came).toHaveLength(6);
  });

  it('is no higher after a pause', async () => {
    const clock = new FakeClock();
    async function* stalling(): AsyncIterable<Buffer> {
      yield Buffer.alloc(100);
      await clock.sleep(60_000, LIVE);
      yield* pieces(100, 100, 100);
    }
    const came: [number, number][] = [];
    const done = record(clock, limitRate(100, clock)(stalling(), LIVE), came);
    await clock.advance(120_000);
    await done;
    expect(came.map(([atMs]) => atMs)).toEqual([0, 61_000, 62_000, 63_000]);
  });

  it('of nothing is none', async () => {
    const clock = new FakeClock();
    const came: [number, number][] = [];
    await record(clock, limitRate(0, clock)(pieces(1_000_000, 1_000_000), LIVE), came);
    expect(came).toHaveLength(2);
  });

  it('ends with its signal, and lets its source go', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let open = true;
    async function* source(): AsyncIterable<Buffer> {
      try {
        yield* pieces(100, 100);
      } finally {
        open = false;
      }
    }
    const done = record(clock, limitRate(1, clock)(source(), stop.signal), []).catch((error) => error);
    await clock.advance(10);
    stop.abort(new Error('enough'));
    expect(await done).toMatchObject({ message: 'enough' });
    expect(open).toBe(false);
    expect(clock.sleeping).toBe(0);
  });
});
