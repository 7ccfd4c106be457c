// SPDX-License-Identifier: Apache-2.0
import { setImmediate as turn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { updateMetrics } from '../../../../agent/daemon/metrics/update-metrics.ts';
import { Feed } from '../../../../agent/daemon/update/feed.ts';
import { PHASES, type UpdateState } from '../../../../agent/daemon/update/life/state.ts';
import { scrape } from '../../fakes/metrics.ts';
import { STATES } from '../update/states.ts';

/** An agent that went through these states since it was started, and what a scrape then shows. */
async function lived(...states: UpdateState[]) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const registry = new Registry();
  const feed = new Feed<UpdateState>('run', { phase: 'idle' });
  updateMetrics(registry, feed, stop.signal);
  await turn();
  for (const state of states) {
    feed.publish(state);
    await turn();
  }
  return scrape(registry);
}

const ENDED = { committed: '0', 'rolled-back': '0', failed: '0' };
const counters = (counts: object) =>
  Object.fromEntries(
    Object.entries({ ...ENDED, ...counts }).map(([result, count]) => [`lamadist_updates_ended_total{result="${result}"}`, count]),
  );

describe('the metrics of an update', () => {
  it.each(PHASES)('show phase %s, and no other', async (phase) => {
    const { of } = await lived(STATES[phase]);
    const shown = PHASES.map((name) => [`lamadist_update_phase{phase="${name}"}`, name === phase ? '1' : '0']);
    expect(of('lamadist_update_phase')).toEqual(Object.fromEntries(shown));
  });

  it('are there, and zero, before any update', async () => {
    const { of, types } = await lived();
    expect(of('lamadist_updates_ended_total')).toEqual(counters({}));
    expect(of('lamadist_update_progress')).toEqual({ lamadist_update_progress_ratio: '0' });
    expect(of('lamadist_update_phase{phase="idle"}')).toEqual({ 'lamadist_update_phase{phase="idle"}': '1' });
    expect(Object.fromEntries(types)).toEqual({
      lamadist_bundle_fetched_bytes_total: 'counter',
      lamadist_bundle_reused_bytes_total: 'counter',
      lamadist_update_phase: 'gauge',
      lamadist_updates_ended_total: 'counter',
      lamadist_update_duration_seconds: 'histogram',
      lamadist_update_progress_ratio: 'gauge',
    });
  });

  it.each([
    ['the download', STATES.downloading, '0.1'],
    ['the install', STATES.installing, '0.4'],
    ['nothing else', STATES.checking, '0'],
  ])('show the progress of %s', async (_what, state, ratio) => {
    expect((await lived(STATES.installing, state)).of('lamadist_update_progress_ratio')).toEqual({ lamadist_update_progress_ratio: ratio });
  });

  it.each([
    ['committed', STATES.committing, STATES.committed],
    ['rolled-back', STATES['rolling-back'], STATES['rolled-back']],
    ['failed', STATES.installing, STATES.failed],
  ] as const)('count an update that ended %s, once', async (result, before, ended) => {
    const phaseChanges = [...before.phaseChanges, { phase: ended.phase, atMs: 90_001 }];
    // A rolled-back update is published again when the log of its failed boot was read.
    const { of } = await lived(before, { ...ended, phaseChanges }, { ...ended, phaseChanges });
    expect(of('lamadist_updates_ended_total')).toEqual(counters({ [result]: '1' }));
    expect(of('lamadist_update_duration_seconds_sum')).toEqual({ [`lamadist_update_duration_seconds_sum{result="${result}"}`]: '90' });
    expect(of('lamadist_update_duration_seconds_bucket')).toMatchObject({
      [`lamadist_update_duration_seconds_bucket{le="60",result="${result}"}`]: '0',
      [`lamadist_update_duration_seconds_bucket{le="120",result="${result}"}`]: '1',
    });
  });

  it('do not count again, after a restart of the agent, what ended before', async () => {
    const { of } = await lived(STATES.committed);
    expect(of('lamadist_updates_ended_total')).toEqual(counters({}));
  });

  it('count an update that the agent found half-way when it was started', async () => {
    const { of } = await lived(STATES.committed, STATES.installing, STATES.failed);
    expect(of('lamadist_updates_ended_total')).toEqual(counters({ failed: '1' }));
  });

  it('count each of several', async () => {
    const again = { ...STATES.inspecting, operation: { ...STATES.inspecting.operation, id: 'second' } };
    const ended = { ...STATES.failed, operation: again.operation };
    const { of } = await lived(STATES.installing, STATES.failed, again, ended);
    expect(of('lamadist_updates_ended_total')).toEqual(counters({ failed: '2' }));
  });
});
