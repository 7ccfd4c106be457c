// SPDX-License-Identifier: Apache-2.0
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { processMetrics } from '../../../../agent/daemon/metrics/process-metrics.ts';
import { scrape } from '../../fakes/metrics.ts';

test("the process' own metrics are there, under the usual names, with values that can be", async () => {
  const registry = new Registry();
  processMetrics(registry);
  await scrape(registry);
  const { of, types } = await scrape(registry);
  const values = Object.fromEntries(Object.entries(of('')).map(([name, value]) => [name, Number(value)]));
  expect(Object.fromEntries(types)).toEqual({
    process_cpu_seconds_total: 'counter',
    process_start_time_seconds: 'gauge',
    process_resident_memory_bytes: 'gauge',
    process_open_fds: 'gauge',
    nodejs_heap_size_used_bytes: 'gauge',
    nodejs_eventloop_lag_p99_seconds: 'gauge',
  });
  const { user, system } = process.cpuUsage();
  expect(values.process_cpu_seconds_total).toBeGreaterThan(0);
  expect(values.process_cpu_seconds_total).toBeLessThanOrEqual((user + system) / 1e6);
  expect(values.process_start_time_seconds).toBeCloseTo(Date.now() / 1000 - process.uptime(), -1);
  expect(values.process_resident_memory_bytes).toBeGreaterThan(values.nodejs_heap_size_used_bytes ?? 0);
  expect(values.process_open_fds).toBeGreaterThan(2);
  expect(values.nodejs_eventloop_lag_p99_seconds).toBeGreaterThanOrEqual(0);
});
