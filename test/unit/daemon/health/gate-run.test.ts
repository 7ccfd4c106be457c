// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Check, CheckResult, CheckSet } from '../../../../agent/daemon/health/check.ts';
import { runGate } from '../../../../agent/daemon/health/gate-run.ts';
import { Turns } from '../../../../agent/daemon/health/turns.ts';
import { advisory, BROKEN, check } from '../../fakes/checks.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { byUnit, deaf, fakeProbes, type Look } from '../../fakes/probes.ts';

const DEADLINE_MS = 60_000;

function start(
  checks: readonly Check[],
  look: Look,
  { broken = [], turns = 8, elapsedMs = 0 }: Partial<Pick<CheckSet, 'broken'>> & { turns?: number; elapsedMs?: number } = {},
) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const told: CheckResult[] = [];
  const ports = { probes: fakeProbes(look), clock, turns: new Turns(turns) };
  const times = { startMs: -elapsedMs, deadlineMs: DEADLINE_MS };
  const report = runGate({ checks, broken }, times, ports, stop.signal, (result) => told.push(result));
  return { clock, stop, told, report };
}

test('passes when all required checks have, and tells every result', async () => {
  const { report, told, clock } = start([check('a'), check('b')], byUnit({ a: true, b: true }));
  expect(await report).toMatchObject({
    verdict: { type: 'passed' },
    results: [
      { name: 'a', outcome: 'passed' },
      { name: 'b', outcome: 'passed' },
    ],
  });
  expect(told.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  expect(clock.sleeping).toBe(0);
});

test('does not wait for an advisory check', async () => {
  const { report, clock } = start([check('a'), advisory('slow')], byUnit({ a: true }));
  expect(await report).toMatchObject({
    verdict: { type: 'passed' },
    results: [{ outcome: 'passed' }, { name: 'slow', outcome: 'pending' }],
  });
  expect(clock.sleeping).toBe(0);
});

test('passes despite an advisory check that fails', async () => {
  const { report, clock } = start([check('a', { retries: 1 }), advisory('b')], (condition, signal) =>
    byUnit(clock.monotonicMs() < 100 ? { a: false, b: false } : { a: true })(condition, signal),
  );
  await clock.advance(100);
  expect(await report).toMatchObject({ verdict: { type: 'passed' }, results: [{ outcome: 'passed' }, { outcome: 'failed' }] });
});

test('fails with the first required check that does, and stops the others', async () => {
  let stopped = false;
  const { report, clock } = start([check('a'), check('slow')], (condition, signal) => {
    signal.addEventListener('abort', () => {
      stopped = true;
    });
    return byUnit({ a: false })(condition, signal);
  });
  expect(await report).toMatchObject({
    verdict: { code: 'CHECK_FAILED', failedChecks: ['a'] },
    results: [{ outcome: 'failed' }, { outcome: 'pending' }],
  });
  expect(stopped).toBe(true);
  expect(clock.sleeping).toBe(0);
});

test('fails at the deadline although every probe is deaf, and tells what was cut off', async () => {
  const { clock, report, told } = start([check('a', { timeoutMs: 3_600_000 }), advisory('b', { timeoutMs: 3_600_000 })], deaf);
  await clock.advance(DEADLINE_MS);
  expect(await report).toMatchObject({
    verdict: { code: 'GATE_TIMED_OUT', failedChecks: ['a'] },
    results: [{ outcome: 'timed-out', detail: 'still under way when the gate ended: not run yet' }, { outcome: 'timed-out' }],
  });
  expect(told.map(({ outcome }) => outcome)).toEqual(['timed-out', 'timed-out']);
  expect(clock.sleeping).toBe(0);
});

test('the deadline counts from the start that it is given', async () => {
  const { clock, report } = start([check('a', { timeoutMs: 3_600_000 })], deaf, { elapsedMs: 50_000 });
  await clock.advance(10_000);
  expect(await report).toMatchObject({ verdict: { code: 'GATE_TIMED_OUT' } });
});

test('a deadline that is over before it begins fails without looking', async () => {
  let looks = 0;
  const { report } = start([check('a')], async () => ({ holds: true, detail: `look ${++looks}` }), { elapsedMs: DEADLINE_MS });
  expect(await report).toMatchObject({ verdict: { code: 'GATE_TIMED_OUT' } });
  expect(looks).toBe(0);
});

test('a broken file fails it without looking at anything', async () => {
  let looks = 0;
  const { report } = start([check('a')], async () => ({ holds: true, detail: `look ${++looks}` }), { broken: [BROKEN] });
  expect(await report).toMatchObject({ verdict: { code: 'CHECK_BROKEN', failedChecks: ['bad'] }, results: [{ outcome: 'pending' }] });
  expect(looks).toBe(0);
});

test('fails without checks', async () => {
  await expect(start([], deaf).report).resolves.toMatchObject({ verdict: { code: 'CHECK_BROKEN' }, results: [] });
});

test('every check gets its turn, more of them than there are turns', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `c${index}`);
  const { clock, report } = start(
    names.map((name) => check(name, { retries: 1000 })),
    (condition, signal) =>
      byUnit(Object.fromEntries(names.map((name) => [name, clock.monotonicMs() >= 1000 || name === 'c19'])))(condition, signal),
    { turns: 1 },
  );
  await clock.advance(2000);
  expect(await report).toMatchObject({ verdict: { type: 'passed', message: 'All 20 required checks passed' } });
});

test('ends with the signal', async () => {
  const { stop, report, clock } = start([check('a')], deaf);
  stop.abort(new Error('shutting down'));
  await expect(report).rejects.toThrow('shutting down');
  expect(clock.sleeping).toBe(0);
});

test('an error of whoever is told ends it, rather than getting lost', async () => {
  const ports = { probes: fakeProbes(byUnit({ a: true })), clock: new FakeClock(), turns: new Turns(8) };
  const report = runGate(
    { checks: [check('a'), check('slow')], broken: [] },
    { startMs: 0, deadlineMs: DEADLINE_MS },
    ports,
    new AbortController().signal,
    () => {
      throw new Error('the journal is full');
    },
  );
  await expect(report).rejects.toThrow('the journal is full');
});
