// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Failure } from '../../shared/failure.ts';

const TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 16;

/** The Prometheus edge: GET /metrics in the text format, over plain HTTP on a loopback address (the configuration sees to that). */
export function metricsServer(registry: Registry, log: Logger): Server {
  const server = createServer({ requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, maxHeaderSize: 8 << 10 }, (request, response) => {
    answer(registry, request, response).catch((error) => {
      log.error({ err: error }, 'The metrics could not be collected');
      response.writeHead(500).end();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/metrics') return void response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics\n');
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  const metrics = await registry.metrics();
  response.writeHead(200, { 'content-type': registry.contentType }).end(metrics);
}

export function listen(server: Server, address: string): Promise<void> {
  const { hostname, port } = new URL(`http://${address}`);
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Failure('CONFIG_INVALID', `Cannot serve metrics on ${address}: ${error.message}`, {}, { cause: error })),
    );
    server.listen(Number(port || 80), hostname.replace(/^\[|\]$/g, ''), resolve);
  });
}
