// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Check, CheckResult } from '../../../../agent/daemon/health/check.ts';
import { runCheck } from '../../../../agent/daemon/health/runner.ts';
import { Turns } from '../../../../agent/daemon/health/turns.ts';
import { check } from '../../fakes/checks.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { deaf, fakeProbes, type Look } from '../../fakes/probes.ts';

interface Run {
  readonly clock: FakeClock;
  readonly results: CheckResult[];
  readonly ended: Promise<'ended'>;
  readonly stop: AbortController;
}

function start(checkToRun: Check, look: Look, turns = new Turns(1)): Run {
  const clock = new FakeClock();
  const stop = new AbortController();
  const results: CheckResult[] = [];
  const run = async () => {
    for await (const result of runCheck(checkToRun, { probes: fakeProbes(look), clock, turns }, stop.signal)) results.push(result);
    return 'ended' as const;
  };
  return { clock, stop, results, ended: run() };
}

/** Answers in turn; the last answer stays. */
function answering(...answers: (boolean | Error)[]): Look {
  let looks = 0;
  return async () => {
    const answer = answers[Math.min(looks, answers.length - 1)]!;
    looks += 1;
    if (answer instanceof Error) throw answer;
    return { holds: answer, detail: `look ${looks}` };
  };
}

test('a check that holds passes at its first attempt', async () => {
  const { ended, results, clock } = start(check('a', { retries: 3 }), answering(true));
  await ended;
  expect(results).toEqual([
    { name: 'a', severity: 'required', outcome: 'passed', detail: 'look 1', attempts: 1, durationMs: 0, at: clock.epoch },
  ]);
});

test('a check that fails is tried again after its interval, and each attempt is told', async () => {
  const { clock, results, ended } = start(check('a', { retries: 3, intervalMs: 500 }), answering(false, false, true));
  await clock.advance(999);
  expect(results.map(({ outcome, attempts }) => [outcome, attempts])).toEqual([
    ['pending', 1],
    ['pending', 2],
  ]);
  await clock.advance(1);
  await ended;
  expect(results.at(-1)).toMatchObject({ outcome: 'passed', attempts: 3, durationMs: 1000 });
});

test('fails after its last retry', async () => {
  const { clock, results, ended } = start(check('a', { retries: 2 }), answering(false));
  await clock.advance(10_000);
  await ended;
  expect(results.map(({ outcome }) => outcome)).toEqual(['pending', 'pending', 'failed']);
  expect(results.at(-1)).toMatchObject({ attempts: 3, detail: 'look 3' });
});

test('a probe that throws has failed, with its message', async () => {
  const { results, ended } = start(check('a'), answering(new Error('the bus is gone')));
  await ended;
  expect(results).toMatchObject([{ outcome: 'failed', detail: 'the bus is gone' }]);
});

test('an attempt ends with its timeout, even when the probe does not heed its signal', async () => {
  const { clock, results, ended } = start(check('a', { timeoutMs: 2000, retries: 1 }), deaf);
  await clock.advance(1999);
  expect(results).toEqual([]);
  await clock.advance(10_000);
  await ended;
  expect(results.map(({ outcome }) => outcome)).toEqual(['pending', 'timed-out']);
  expect(results.at(-1)).toMatchObject({ detail: 'no answer within 2s', durationMs: 4100 });
});

test('a probe whose time is over hears of it', async () => {
  let heard = false;
  const { clock, ended } = start(check('a'), (_, signal) => {
    signal.addEventListener('abort', () => {
      heard = true;
    });
    return new Promise(() => {});
  });
  await clock.advance(1000);
  await ended;
  expect(heard).toBe(true);
});

test.each([
  ['during an attempt', deaf, 0],
  ['during the pause between two', answering(false), 50],
] as const)('the signal ends it %s', async (_, look, afterMs) => {
  const { clock, stop, ended } = start(check('a', { retries: 9 }), look);
  await clock.advance(afterMs);
  stop.abort(new Error('shutting down'));
  await expect(ended).rejects.toThrow('shutting down');
  expect(clock.sleeping).toBe(0);
});

test('waiting for a turn costs nothing of the timeout', async () => {
  const turns = new Turns(1);
  let free = () => {};
  const held = turns.take(
    new AbortController().signal,
    () =>
      new Promise<void>((resolve) => {
        free = resolve;
      }),
  );
  const { clock, results, ended } = start(check('a', { timeoutMs: 1000 }), answering(true), turns);
  await clock.advance(60_000);
  expect(results).toEqual([]);
  free();
  await held;
  await ended;
  expect(results).toMatchObject([{ outcome: 'passed' }]);
});

test('the pause between two attempts keeps no turn', async () => {
  const turns = new Turns(1);
  const { clock, results } = start(check('a', { retries: 1000 }), answering(false), turns);
  await clock.advance(50);
  expect(results).toHaveLength(1);
  await expect(turns.take(new AbortController().signal, async () => 'mine')).resolves.toBe('mine');
});

test('a detail is one short line without control characters', async () => {
  const text = `first\nsecond \u001b[31mred${'x'.repeat(1000)}`;
  const { results, ended } = start(check('a'), async () => ({ holds: false, detail: text }));
  await ended;
  expect(results[0]?.detail).toMatch(/^first second \[31mredx+…$/);
  expect(results[0]?.detail).toHaveLength(500);
});
