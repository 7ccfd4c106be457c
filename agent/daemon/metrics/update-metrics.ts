// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Feed } from '../update/feed.ts';
import { type EndedUpdate, isEnded, PHASES, type UpdateState } from '../update/life/state.ts';
import { fetchMetrics } from './fetch-metrics.ts';

const MINUTE = 60;

/** The update's life in metrics: where it stands, and what became of those that ended while this agent ran. */
export function updateMetrics(registry: Registry, feed: Feed<UpdateState>, signal: AbortSignal): void {
  const registers = [registry];
  const phase = new Gauge({
    name: 'lamadist_update_phase',
    help: 'Whether the update is in this phase (1) or not (0).',
    labelNames: ['phase'] as const,
    registers,
  });
  const ended = new Counter({
    name: 'lamadist_updates_ended_total',
    help: 'Updates that ended while this agent ran, by result.',
    labelNames: ['result'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'lamadist_update_duration_seconds',
    help: 'Time from the request of an update to its end, by result.',
    labelNames: ['result'] as const,
    buckets: [10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, 60 * MINUTE],
    registers,
  });
  const progress = new Gauge({
    name: 'lamadist_update_progress_ratio',
    help: 'Progress of the download or install that is under way, 0 to 1.',
    registers,
  });

  const countBytes = fetchMetrics(registry);

  for (const result of ['committed', 'rolled-back', 'failed'] as const) ended.inc({ result }, 0);

  function count(update: EndedUpdate): void {
    ended.inc({ result: update.phase });
    const [first] = update.phaseChanges;
    const last = update.phaseChanges.at(-1);
    if (first && last) duration.observe({ result: update.phase }, (last.atMs - first.atMs) / 1000);
  }

  void (async () => {
    // What this agent saw under way; what had ended before it started was counted by the one before, if at all.
    let underWay = '';
    for await (const { value } of feed.follow('', signal)) {
      for (const name of PHASES) phase.set({ phase: name }, value.phase === name ? 1 : 0);
      progress.set(progressOf(value));
      countBytes(value);
      if (value.phase === 'idle') continue;
      if (!isEnded(value)) {
        underWay = value.operation.id;
      } else if (value.operation.id === underWay) {
        underWay = '';
        count(value);
      }
    }
  })();
}

function progressOf(state: UpdateState): number {
  if (state.phase === 'installing') return state.percent / 100;
  return state.phase === 'downloading' && state.fetched ? state.fetched.bytes / state.fetched.sizeBytes : 0;
}
