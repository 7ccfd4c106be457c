// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Outcome, PendingCalls } from '../../../../../agent/daemon/platform/dbus/pending-calls.ts';

const call = { destination: 'org.x', path: '/', interface: 'org.x.I', member: 'Do' } as const;

describe('a pending call', () => {
  let outcomes: Outcome[];
  let calls: PendingCalls;
  const done = (outcome: Outcome) => void outcomes.push(outcome);

  beforeEach(() => {
    vi.useFakeTimers();
    outcomes = [];
    calls = new PendingCalls();
  });
  afterEach(() => void vi.useRealTimers());

  it('ends with its reply, synchronously and once', () => {
    calls.add(1, call, { timeoutMs: 10 }, done);
    calls.end(1, { body: ['yes'] });
    calls.end(1, { body: ['again'] });
    vi.advanceTimersByTime(100);
    calls.endAll('too late');
    expect(outcomes).toEqual([{ body: ['yes'] }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends at its deadline', () => {
    calls.add(1, call, { timeoutMs: 10 }, done);
    vi.advanceTimersByTime(10);
    expect(outcomes).toEqual([
      { error: expect.objectContaining({ code: 'DEADLINE_EXCEEDED', message: 'Cannot call org.x.I.Do: no answer within 10 ms' }) },
    ]);
    expect(calls.has(1)).toBe(false);
  });

  it('ends when it is aborted, and leaves no listener on the signal of a long life', () => {
    const abort = new AbortController();
    calls.add(1, call, { timeoutMs: 10, signal: abort.signal }, done);
    calls.end(1, { body: [] });
    calls.add(2, call, { timeoutMs: 10, signal: abort.signal }, done);
    abort.abort(new Error('bored'));
    expect(outcomes).toEqual([
      { body: [] },
      {
        error: expect.objectContaining({
          code: 'DEADLINE_EXCEEDED',
          message: 'Cannot call org.x.I.Do: the caller stopped waiting',
          cause: new Error('bored'),
        }),
      },
    ]);
  });

  it('is over before it is sent when it was aborted before', () => {
    calls.add(1, call, { timeoutMs: 10, signal: AbortSignal.abort() }, done);
    expect(calls.has(1)).toBe(false);
    expect(outcomes).toHaveLength(1);
  });

  it('ends with its connection', () => {
    calls.add(1, call, { timeoutMs: 10 }, done);
    calls.add(2, call, { timeoutMs: 10 }, done);
    calls.endAll('the bus is gone');
    expect(outcomes.map((outcome) => 'error' in outcome && outcome.error.message)).toEqual(
      Array(2).fill('Cannot call org.x.I.Do: the bus is gone'),
    );
  });
});
