// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { VERSION } from '../../shared/version.ts';
import type { Attester } from '../attestation/attester.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import { attestationMetrics } from '../metrics/attestation-metrics.ts';
import { nodeMetrics } from '../metrics/node-metrics.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import { metricsServer } from '../metrics/server.ts';
import { updateMetrics } from '../metrics/update-metrics.ts';
import type { Neighbours } from './neighbours.ts';
import type { Updates } from './updates.ts';

export interface MetricsParts {
  readonly attester: Attester;
  readonly monitor: HealthMonitor;
  readonly certificateExpiry: () => Date;
  readonly log: Logger;
  readonly stopping: AbortSignal;
}

/** Every metric of the daemon and the server that shows them, not yet listening. */
export function metricsOf(
  { attester, monitor, certificateExpiry, log, stopping }: MetricsParts,
  { installer, busConnected }: Neighbours,
  updates: Updates,
): Server {
  const registry = new Registry();
  processMetrics(registry);
  attestationMetrics(registry, attester);
  updateMetrics(registry, updates.feed, stopping);
  nodeMetrics(registry, { installer, busConnected, health: () => monitor.health, certificateExpiry, agentVersion: VERSION });
  return metricsServer(registry, log);
}
