// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { CheckDirectory } from '../../../../agent/daemon/health/check-directory.ts';
import { HealthMonitor } from '../../../../agent/daemon/health/health-monitor.ts';
import { BROKEN, check } from '../../fakes/checks.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { byUnit, fakeProbes } from '../../fakes/probes.ts';

const LIVE = new AbortController().signal;

class World {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  units: Record<string, boolean | Error> = {};
  directory: Partial<CheckDirectory> = {};
  load: () => Promise<CheckDirectory> = async () => ({ checks: [], broken: [], masked: [], ...this.directory });
  readonly monitor: HealthMonitor;

  constructor(units: Record<string, boolean>) {
    this.units = units;
    this.directory = { checks: Object.keys(units).map((name) => check(name)) };
    const write = (_: unknown, message: string) => void this.log.push(message);
    this.monitor = new HealthMonitor({
      load: () => this.load(),
      probes: fakeProbes((condition, signal) => byUnit(this.units)(condition, signal)),
      clock: this.clock,
      logger: { info: write, warn: write, error: write } as never,
    });
  }

  get outcomes(): Record<string, string> {
    return Object.fromEntries(this.monitor.health.results.map(({ name, outcome }) => [name, outcome]));
  }
}

describe('before the gate', () => {
  test('nothing is known, and nothing is called healthy', () => {
    expect(new World({ a: true }).monitor.health).toEqual({ verdict: { type: 'pending' }, results: [], broken: [] });
  });
});

describe('the gate', () => {
  test('leaves its verdict and results', async () => {
    const world = new World({ a: true, b: false });
    const { verdict } = await world.monitor.runGate(60_000, LIVE);
    expect(verdict).toMatchObject({ type: 'failed', failedChecks: ['b'] });
    expect(world.monitor.health.verdict).toEqual(verdict);
    expect(world.outcomes).toEqual({ a: 'passed', b: 'failed' });
    expect(world.log).toContain('The health gate is decided');
  });

  test('tells each result as it comes', async () => {
    const world = new World({ a: true });
    const told: string[] = [];
    await world.monitor.runGate(60_000, LIVE, ({ name, outcome }) => told.push(`${name} ${outcome}`));
    expect(told).toEqual(['a passed']);
  });

  test('is pending while it runs, with the checks that it waits for', async () => {
    const world = new World({ a: false });
    world.directory = { checks: [check('a', { retries: 5, intervalMs: 1000 })] };
    const gate = world.monitor.runGate(60_000, LIVE);
    await world.clock.advance(1500);
    expect(world.monitor.health).toMatchObject({ verdict: { type: 'pending' }, results: [{ outcome: 'pending', attempts: 2 }] });
    world.units = { a: true };
    await world.clock.advance(1000);
    expect(await gate).toMatchObject({ verdict: { type: 'passed' } });
  });

  test('fails by a broken file, and shows and logs it', async () => {
    const world = new World({ a: true });
    world.directory = { ...world.directory, broken: [BROKEN] };
    await world.monitor.runGate(60_000, LIVE);
    expect(world.monitor.health).toMatchObject({ verdict: { code: 'CHECK_BROKEN' }, broken: [BROKEN] });
    expect(world.log).toContain('A health check file is broken');
  });

  test('fails when the check files cannot be read in time', async () => {
    const world = new World({});
    world.load = () => new Promise(() => {});
    const gate = world.monitor.runGate(300_000, LIVE);
    await world.clock.advance(30_000);
    expect(await gate).toMatchObject({ verdict: { code: 'CHECK_BROKEN' } });
  });
});

describe('a single run', () => {
  test('tries every check once, broken files or not', async () => {
    const world = new World({ a: true, b: false });
    world.directory = { checks: [check('a'), check('b', { retries: 9 })], broken: [BROKEN] };
    const health = await world.monitor.runOnce(LIVE);
    expect(health).toMatchObject({ results: [{ outcome: 'passed' }, { outcome: 'failed', attempts: 1 }], broken: [BROKEN] });
  });

  test('does not change the verdict on this boot', async () => {
    const world = new World({ a: true });
    await world.monitor.runGate(60_000, LIVE);
    world.units = { a: false };
    expect(await world.monitor.runOnce(LIVE)).toMatchObject({ verdict: { type: 'passed' }, results: [{ outcome: 'failed' }] });
  });

  test('reads the files anew, and forgets the checks that are gone', async () => {
    const world = new World({ a: true });
    await world.monitor.runOnce(LIVE);
    world.units = { b: true };
    world.directory = { checks: [check('b')] };
    await world.monitor.runOnce(LIVE);
    expect(world.outcomes).toEqual({ b: 'passed' });
  });

  test('does not bring a check back that was taken out while another run looks at it', async () => {
    const world = new World({ a: false });
    world.directory = { checks: [check('a', { retries: 1, intervalMs: 1000 })] };
    const gate = world.monitor.runGate(60_000, LIVE);
    await world.clock.advance(500);
    world.directory = {};
    await world.monitor.runOnce(LIVE);
    await world.clock.advance(1000);
    expect(await gate).toMatchObject({ verdict: { failedChecks: ['a'] } });
    expect(world.outcomes).toEqual({});
  });

  test('ends with the signal', async () => {
    const world = new World({});
    world.directory = { checks: [check('silent')] };
    const stop = new AbortController();
    const run = world.monitor.runOnce(stop.signal);
    await world.clock.advance(10);
    stop.abort(new Error('the caller has gone'));
    await expect(run).rejects.toThrow('the caller has gone');
    expect(world.clock.sleeping).toBe(0);
  });
});

describe('watching', () => {
  test('runs the checks again after each pause, and logs what changed', async () => {
    const world = new World({ a: true });
    const stop = new AbortController();
    const watching = world.monitor.watch(60_000, stop.signal);
    await world.clock.advance(60_000);
    expect(world.outcomes).toEqual({ a: 'passed' });
    world.units = { a: false };
    await world.clock.advance(120_000);
    expect(world.outcomes).toEqual({ a: 'failed' });
    expect(world.log).toEqual(['A health check passes now', 'A health check does not pass']);
    stop.abort();
    await watching;
  });

  test('honours retries, and keeps the last result while they last', async () => {
    const world = new World({ a: true });
    world.directory = { checks: [check('a', { retries: 1, intervalMs: 1000 })] };
    const stop = new AbortController();
    const watching = world.monitor.watch(60_000, stop.signal);
    await world.clock.advance(60_000);
    world.units = { a: false };
    await world.clock.advance(60_500);
    expect(world.outcomes).toEqual({ a: 'passed' });
    world.units = { a: true };
    await world.clock.advance(1000);
    expect(world.monitor.health.results).toMatchObject([{ outcome: 'passed', attempts: 2 }]);
    stop.abort();
    await watching;
  });

  test('goes on after a run that went wrong, and says so', async () => {
    const world = new World({ a: true });
    const load = world.load;
    world.load = () => Promise.reject(new Error('no memory'));
    const stop = new AbortController();
    const watching = world.monitor.watch(60_000, stop.signal);
    await world.clock.advance(60_000);
    expect(world.log).toEqual(['Cannot run the health checks']);
    world.load = load;
    await world.clock.advance(60_000);
    expect(world.outcomes).toEqual({ a: 'passed' });
    stop.abort();
    await watching;
  });

  test('tells of a mask or a broken file once, not at every run', async () => {
    const world = new World({});
    world.directory = { broken: [BROKEN], masked: ['k3s'] };
    const stop = new AbortController();
    const watching = world.monitor.watch(60_000, stop.signal);
    await world.clock.advance(180_000);
    expect(world.log).toEqual(['A health check file is broken', 'Health checks are masked']);
    stop.abort();
    await watching;
  });
});
