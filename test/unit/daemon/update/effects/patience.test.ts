// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { patiently } from '../../../../../agent/daemon/update/effects/patience.ts';
import { Failure, type FailureCode } from '../../../../../agent/shared/failure.ts';
import { FakeClock } from '../../../fakes/clock.ts';

/** Asks a neighbour that fails so often before it answers. */
function asking(error: Error, failures: number) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const asked = { times: 0 };
  const answer = patiently(clock, stop.signal, async () => {
    asked.times += 1;
    if (asked.times <= failures) throw error;
    return 'answer';
  }).catch((thrown) => thrown);
  return { clock, stop, asked, answer };
}

const away = (code: FailureCode = 'RAUC_UNAVAILABLE') => new Failure(code, 'Cannot ask: it is away');

describe('patience', () => {
  it.each(['RAUC_UNAVAILABLE', 'BUS_UNAVAILABLE'] as const)('asks again after %s', async (code) => {
    const { clock, answer } = asking(away(code), 3);
    await clock.advance(3_000);
    expect(await answer).toBe('answer');
    expect(clock.sleeping).toBe(0);
  });

  it.each([away('RAUC_REFUSED'), away('UPDATE_IN_PROGRESS'), new Error('a bug')])('takes "%o" for an answer', async (error) => {
    const { answer, asked } = asking(error, 1);
    expect(await answer).toBe(error);
    expect(asked.times).toBe(1);
  });

  it('ends after a minute', async () => {
    const error = away();
    const { clock, answer, asked } = asking(error, Number.POSITIVE_INFINITY);
    await clock.advance(59_000);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1_000);
    expect(await answer).toBe(error);
    expect(asked.times).toBe(61);
  });

  it('ends with the signal', async () => {
    const { clock, stop, answer } = asking(away(), Number.POSITIVE_INFINITY);
    await clock.advance(500);
    stop.abort(new Error('enough'));
    expect(await answer).toMatchObject({ message: 'enough' });
    expect(clock.sleeping).toBe(0);
  });
});
