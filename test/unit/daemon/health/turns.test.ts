// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { Turns } from '../../../../agent/daemon/health/turns.ts';

const LIVE = new AbortController().signal;

function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

test('lets no more work than there are turns run at the same time', async () => {
  const turns = new Turns(2);
  let running = 0;
  let most = 0;
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  };
  await Promise.all(Array.from({ length: 9 }, () => turns.take(LIVE, work)));
  expect(most).toBe(2);
});

test('gives turns in the order in which they were asked for', async () => {
  const turns = new Turns(1);
  const order: number[] = [];
  await Promise.all([1, 2, 3, 4].map((number) => turns.take(LIVE, async () => void order.push(number))));
  expect(order).toEqual([1, 2, 3, 4]);
});

test('work that throws gives its turn back', async () => {
  const turns = new Turns(1);
  await expect(turns.take(LIVE, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(turns.take(LIVE, async () => 'next')).resolves.toBe('next');
});

test('whoever gives up waiting leaves the queue', async () => {
  const turns = new Turns(1);
  const first = gate();
  const stop = new AbortController();
  const held = turns.take(LIVE, () => first.opened);
  const waiting = turns.take(stop.signal, async () => 'never');
  const last = turns.take(LIVE, async () => 'last');
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  first.open();
  await held;
  await expect(last).resolves.toBe('last');
});

test('a turn that comes in the moment in which its owner gives up goes to the next', async () => {
  const turns = new Turns(1);
  const first = gate();
  const stop = new AbortController();
  const held = turns.take(LIVE, () => first.opened);
  const waiting = turns.take(stop.signal, async () => 'too late');
  // Runs after the turn was passed on and before whoever waits for it hears.
  const givingUp = first.opened.then(() => stop.abort(new Error('enough')));
  first.open();
  await expect(waiting).rejects.toThrow('enough');
  await Promise.all([held, givingUp]);
  await expect(turns.take(AbortSignal.timeout(5000), async () => 'next')).resolves.toBe('next');
});

test('does not begin when the signal is aborted already', async () => {
  const turns = new Turns(1);
  let begun = false;
  const taken = turns.take(AbortSignal.abort(new Error('enough')), async () => {
    begun = true;
  });
  await expect(taken).rejects.toThrow('enough');
  expect(begun).toBe(false);
});
