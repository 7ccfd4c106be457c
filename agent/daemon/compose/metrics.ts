// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { VERSION } from '../../shared/version.ts';
import type { Attester } from '../attestation/attester.ts';
import type { Config } from '../config.ts';
import type { HealthMonitor } from '../health/health-monitor.ts';
import { attestationMetrics } from '../metrics/attestation-metrics.ts';
import { hostMetrics } from '../metrics/host-metrics.ts';
import { nodeMetrics } from '../metrics/node-metrics.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import { listen, metricsServer, renewCertificates } from '../metrics/server.ts';
import { updateMetrics } from '../metrics/update-metrics.ts';
import { diskUsage } from '../platform/linux/disk-usage.ts';
import { readHost } from '../platform/linux/host/read-host.ts';
import { clockSynchronised } from '../platform/systemd/time-synchronisation.ts';
import { systemClock as clock } from '../timing/clock.ts';
import type { Folders } from './folders.ts';
import type { Neighbours } from './neighbours.ts';
import type { Updates } from './updates.ts';

export interface MetricsParts {
  readonly config: Config['metrics'];
  readonly folders: Folders;
  readonly credentials: { readonly context: () => SecureContextOptions; readonly notAfter: Date };
  readonly attester: Attester;
  readonly monitor: HealthMonitor;
  readonly log: Logger;
  readonly stopping: AbortSignal;
}

/** Every metric of the daemon and the server that shows them, not yet listening. */
export function metricsOf(parts: MetricsParts, { bus, installer, busConnected }: Neighbours, updates: Updates) {
  const { config, folders, credentials, attester, monitor, log, stopping } = parts;
  const registry = new Registry();
  processMetrics(registry);
  attestationMetrics(registry, attester);
  updateMetrics(registry, updates.feed, stopping);
  hostMetrics(registry, {
    readHost: readHost(),
    fileSystems: (signal) => diskUsage(clock).fileSystems(signal),
    clockSynchronised: clockSynchronised(bus),
  });
  nodeMetrics(registry, {
    installer,
    busConnected,
    health: () => monitor.health,
    certificateExpiry: () => credentials.notAfter,
    journalWritten: () => lastWritten(join(folders.state, 'update.json')),
    agentVersion: VERSION,
  });
  const server = metricsServer(registry, log, config.tls ? credentials.context : undefined);
  return {
    listen: () => listen(server, config.listen),
    renew: () => renewCertificates(server, credentials.context),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function lastWritten(path: string): Promise<Date | undefined> {
  return stat(path).then(
    ({ mtime }) => mtime,
    () => undefined,
  );
}
