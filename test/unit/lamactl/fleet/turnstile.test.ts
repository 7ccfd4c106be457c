// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { Turnstile } from '../../../../agent/lamactl/fleet/turnstile.ts';

describe('a turnstile', () => {
  it('lets so many through at a time, in the order in which they came', async () => {
    const turnstile = new Turnstile(2);
    const begun: number[] = [];
    let [inside, most] = [0, 0];
    const work = (index: number) => async (): Promise<number> => {
      begun.push(index);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      return index;
    };
    expect(await Promise.all([0, 1, 2, 3, 4].map((index) => turnstile.pass(work(index))))).toEqual([0, 1, 2, 3, 4]);
    expect([begun, most]).toEqual([[0, 1, 2, 3, 4], 2]);
  });

  it('lets the next through after a work that failed', async () => {
    const turnstile = new Turnstile(1);
    await expect(turnstile.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turnstile.pass(async () => 'yes')).toBe('yes');
  });
});
