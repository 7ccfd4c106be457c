// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import { Failure } from '../../shared/failure.ts';
import type { VerdictMetrics } from './verdict-metrics.ts';

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost):(\d{1,5})$/;
const TIMEOUT_MS = 10_000;

/** Serves /metrics on a loopback address, for it is plain HTTP. Returns how to stop. Throws INVALID_REQUEST. */
export async function serveVerdictMetrics(address: string, metrics: VerdictMetrics, watching: boolean): Promise<() => void> {
  const [, host, port] = LOOPBACK.exec(address) ?? [];
  if (host === undefined || Number(port) > 65_535) throw refused(address, 'it is no loopback address such as 127.0.0.1:9478');
  if (!watching) throw refused(address, 'it needs --watch, or lamactl would be gone before anybody asks');
  const server = createServer({ requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, maxHeaderSize: 8 << 10 }, (request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.text());
  });
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refused(address, error.message)));
    server.listen(Number(port), host.replace(/^\[|\]$/g, ''), resolve);
  });
  return () => {
    server.close();
    server.closeAllConnections();
  };
}

function refused(address: string, found: string): Failure {
  return new Failure('INVALID_REQUEST', `Cannot serve metrics on "${address}": ${found}`, { field: 'metrics-listen' });
}
