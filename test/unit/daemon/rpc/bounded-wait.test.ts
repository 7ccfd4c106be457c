// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BoundedWait } from '../../../../agent/daemon/rpc/bounded-wait.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function waiting() {
  const wait = new BoundedWait<string>({ count: 2, durationMs: 1_000 });
  const givenUp: string[] = [];
  return { wait, givenUp, begin: (name: string) => wait.begin(name, () => givenUp.push(name)) };
}

describe('those who keep the agent waiting', () => {
  it('are given up when their time is over', () => {
    const { begin, givenUp } = waiting();
    begin('first');
    vi.advanceTimersByTime(999);
    expect(givenUp).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(givenUp).toEqual(['first']);
  });

  it('are given up, who waits the longest first, when one too many comes', () => {
    const { begin, givenUp } = waiting();
    for (const name of ['first', 'second', 'third', 'fourth']) begin(name);
    expect(givenUp).toEqual(['first', 'second']);
  });

  it('are left alone once what they were waited for came', () => {
    const { wait, begin, givenUp } = waiting();
    begin('first');
    begin('second');
    wait.end('first');
    begin('third');
    vi.advanceTimersByTime(500);
    wait.end('second');
    wait.end('third');
    vi.advanceTimersByTime(10_000);
    expect(givenUp).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait anew when they begin again', () => {
    const { begin, givenUp } = waiting();
    begin('first');
    vi.advanceTimersByTime(600);
    begin('first');
    vi.advanceTimersByTime(600);
    expect(givenUp).toEqual([]);
  });
});
