// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fanOut } from '../../../../agent/lamactl/fleet/fan-out.ts';

describe('a fan-out', () => {
  it('keeps the order of the items, whichever ends first', async () => {
    const results = await fanOut([30, 1, 10], async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return ms;
    });
    expect(results).toEqual([30, 1, 10]);
  });

  it('runs no more than the limit at a time, and all in the end', async () => {
    let running = 0;
    let most = 0;
    const items = Array.from({ length: 50 }, (_, index) => index);
    await fanOut(
      items,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
      },
      7,
    );
    expect(most).toBe(7);
  });

  it('is not held up by one item that never ends until the others are done', async () => {
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    let done = 0;
    const all = fanOut(
      [0, 1, 2, 3, 4],
      async (item) => {
        if (item === 0) await stuck;
        done += 1;
        if (done === 4) release();
      },
      2,
    );
    await all;
    expect(done).toBe(5);
  });
});
