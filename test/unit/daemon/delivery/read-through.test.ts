// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { openPatiently, readThrough } from '../../../../agent/daemon/delivery/read-through.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { BROKEN_OFF, collect, FakeSource } from '../../fakes/bundle.ts';
import { FakeClock } from '../../fakes/clock.ts';

const CONTENT = Buffer.from(Array.from({ length: 100 }, (_, index) => index));
const LIVE = new AbortController().signal;

/** A source whose reader goes through everything, and a clock on which pauses pass by themselves. */
function reading(source: FakeSource, { random = 1, signal = LIVE } = {}) {
  const clock = new FakeClock();
  const pauses: number[] = [];
  const patience = { clock, random: () => random, onPause: (_why: Failure, pauseMs: number) => void pauses.push(pauseMs) };
  const outcome = <T>(work: Promise<T>): Promise<T | Failure> => work.catch((error: Failure) => error);
  return {
    clock,
    pauses,
    all: async (offset = 0, length = CONTENT.length) => {
      const done = outcome(collect(readThrough(source.reader(), source.open, offset, length, patience, signal)));
      await clock.advance(3_600_000);
      return done;
    },
    open: async () => {
      const done = outcome(openPatiently(source.open, patience, signal));
      await clock.advance(3_600_000);
      return done;
    },
  };
}

describe('reading through', () => {
  it('gives a stretch as it is', async () => {
    const source = new FakeSource(CONTENT);
    expect(await reading(source).all(15, 30)).toEqual(CONTENT.subarray(15, 45));
    expect(source.reads).toEqual([[15, 30]]);
    expect(source.opened).toBe(0);
  });

  it('goes on where each connection broke', async () => {
    const source = new FakeSource(CONTENT);
    source.breaks.push(30, 20, 0);
    expect(await reading(source).all()).toEqual(CONTENT);
    expect(source.reads).toEqual([
      [0, 100],
      [30, 70],
      [50, 50],
      [50, 50],
    ]);
  });

  it('takes a source that ends too early for one that broke off', async () => {
    const source = new FakeSource(CONTENT);
    const short = { ...source.reader(), read: () => source.reader().read(0, 40, LIVE) };
    const clock = new FakeClock();
    const done = collect(readThrough(short, source.open, 0, 100, { clock, random: () => 0, onPause: () => {} }, LIVE));
    await clock.advance(0);
    expect(await done).toEqual(CONTENT);
    expect(source.reads.at(-1)).toEqual([40, 60]);
  });

  it('gives up after six attempts that brought nothing, and says why', async () => {
    const source = new FakeSource(CONTENT);
    source.breaks.push(...Array<number>(20).fill(0));
    expect(await reading(source).all()).toBe(BROKEN_OFF);
    expect(source.reads).toHaveLength(6);
  });

  it('never gives up while something comes', async () => {
    const source = new FakeSource(CONTENT);
    source.breaks.push(...Array<number>(9).fill(10));
    expect(await reading(source).all()).toEqual(CONTENT);
  });

  it('gives up when each connection breaks after next to nothing', async () => {
    const source = new FakeSource(Buffer.alloc(1000));
    source.pieceBytes = 1;
    source.breaks.push(...Array<number>(20).fill(9));
    expect(await reading(source).all(0, 1000)).toBe(BROKEN_OFF);
    expect(source.reads).toHaveLength(6);
  });

  it('leaves a source that drips', async () => {
    const clock = new FakeClock();
    const source = new FakeSource(Buffer.alloc(1000));
    const dripping = {
      ...source.reader(),
      async *read() {
        for (;;) {
          await clock.sleep(200_000, LIVE);
          yield Buffer.alloc(1);
        }
      },
    };
    const patience = { clock, random: () => 0, onPause: () => {} };
    const done = collect(readThrough(dripping, async () => dripping, 0, 1000, patience, LIVE)).catch((error: Failure) => error);
    for (let minute = 0; minute < 70; minute++) await clock.advance(60_000);
    expect(await done).toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringContaining('3 bytes in 10 minutes') });
  });

  it.each([
    ['content', { validator: '"2"' }],
    ['size', { content: Buffer.alloc(101) }],
  ])('never joins a bundle of another %s', async (_what, change) => {
    const source = new FakeSource(CONTENT);
    const first = source.reader();
    source.breaks.push(30);
    const clock = new FakeClock();
    const done = collect(readThrough(first, source.open, 0, 100, { clock, random: () => 1, onPause: () => {} }, LIVE)).catch(
      (error) => error,
    );
    await clock.advance(1_000);
    Object.assign(source, change);
    await clock.advance(1_000);
    expect(await done).toMatchObject({ code: 'BUNDLE_CHANGED' });
    expect(source.reads).toHaveLength(1);
  });

  it('takes no more than it asked for', async () => {
    const source = new FakeSource(CONTENT);
    const generous = { ...source.reader(), read: () => source.reader().read(0, 100, LIVE) };
    const pieces = readThrough(generous, source.open, 0, 55, { clock: new FakeClock(), random: () => 0, onPause: () => {} }, LIVE);
    await expect(collect(pieces)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
  });

  it('does not ask again where that is no use', async () => {
    const refused = new Failure('DOWNLOAD_REFUSED', 'Cannot fetch the bundle: no');
    const source = new FakeSource(CONTENT);
    source.away.push(refused);
    expect(await reading(source).open()).toBe(refused);
    expect(source.opened).toBe(1);
  });
});

describe('a pause', () => {
  /** When the source was asked, in milliseconds since the first attempt. */
  async function attemptsAt(random: number): Promise<number[]> {
    const source = new FakeSource(CONTENT);
    source.away.push(...Array<Failure>(20).fill(BROKEN_OFF));
    const times: number[] = [];
    const clock = new FakeClock();
    const open = (signal: AbortSignal) => {
      times.push(clock.monotonicMs());
      return source.open(signal);
    };
    const done = openPatiently(open, { clock, random: () => random, onPause: () => {} }, LIVE).catch((error) => error);
    await clock.advance(3_600_000);
    expect(await done).toBe(BROKEN_OFF);
    return times;
  }

  it('grows, and is somewhere between nothing and its most', async () => {
    expect(await attemptsAt(1)).toEqual([0, 2_000, 6_000, 14_000, 30_000, 62_000]);
    expect(await attemptsAt(0.5)).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000]);
    expect(await attemptsAt(0)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('ends when nobody wants the bundle any longer, and leaves nothing behind', async () => {
    const source = new FakeSource(CONTENT);
    source.breaks.push(30);
    const stop = new AbortController();
    const clock = new FakeClock();
    const done = collect(
      readThrough(source.reader(), source.open, 0, 100, { clock, random: () => 1, onPause: () => {} }, stop.signal),
    ).catch((error) => error);
    await clock.advance(1_000);
    expect(clock.sleeping).toBe(1);
    stop.abort(new Error('enough'));
    expect(await done).toMatchObject({ message: 'enough' });
    expect(clock.sleeping).toBe(0);
    expect(source.opened).toBe(0);
  });
});
