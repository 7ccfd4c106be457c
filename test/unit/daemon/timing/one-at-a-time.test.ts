// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { OneAtATime } from '../../../../agent/daemon/timing/one-at-a-time.ts';

const never = new AbortController().signal;
const cancelled = () => new Error('cancelled');

describe('work that takes turns', () => {
  it('runs in order, one at a time, also after a failure', async () => {
    const turns = new OneAtATime();
    const seen: string[] = [];
    const work =
      (name: string, fails = false) =>
      async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const results = await Promise.allSettled([
      turns.run(work('a'), never, cancelled),
      turns.run(work('b', true), never, cancelled),
      turns.run(work('c'), never, cancelled),
    ]);
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('is never begun when its caller left before its turn', async () => {
    const turns = new OneAtATime();
    const abort = new AbortController();
    let finish = () => {};
    const first = turns.run(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      never,
      cancelled,
    );
    let begun = false;
    const second = turns.run(
      async () => {
        begun = true;
      },
      abort.signal,
      cancelled,
    );
    abort.abort();
    await expect(second).rejects.toThrow('cancelled');
    finish();
    await first;
    await turns.run(async () => {}, never, cancelled);
    expect(begun).toBe(false);
  });

  it('keeps its turn when its caller left during it', async () => {
    const turns = new OneAtATime();
    const abort = new AbortController();
    let finish = () => {};
    const first = turns.run(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      abort.signal,
      cancelled,
    );
    const seen: string[] = [];
    const second = turns.run(async () => void seen.push('second'), never, cancelled);
    await Promise.resolve();
    abort.abort();
    await expect(first).rejects.toThrow('cancelled');
    expect(seen).toEqual([]);
    finish();
    await second;
    expect(seen).toEqual(['second']);
  });
});
