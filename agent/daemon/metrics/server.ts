// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type SecureContextOptions, TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Failure } from '../../shared/failure.ts';
import { callerOf } from '../access/caller.ts';
import { mayReadMetrics } from '../access/roles.ts';

const TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 16;

const LIMITS = { requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, maxHeaderSize: 8 << 10 };

/**
 * The Prometheus edge: GET /metrics in the text format. With certificates over mutual TLS 1.3, for every role but that of
 * other nodes; without over plain HTTP, on a loopback address (the configuration sees to that).
 */
export function metricsServer(registry: Registry, log: Logger, context?: () => SecureContextOptions): Server | TlsServer {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    answer(registry, request, response).catch((error) => {
      log.error({ err: error }, 'The metrics could not be collected');
      response.writeHead(500).end();
    });
  };
  const strict = { requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', handshakeTimeout: TIMEOUT_MS } as const;
  const server = context ? createTlsServer({ ...LIMITS, ...context(), ...strict }, handle) : createServer(LIMITS, handle);
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** Takes the certificates of now, and ends the connections of before. */
export function renewCertificates(server: Server | TlsServer, context: () => SecureContextOptions): void {
  if (!('setSecureContext' in server)) return;
  server.setSecureContext(context());
  server.closeAllConnections();
}

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/metrics') return void response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics\n');
  if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
  const refusal = refusalOf(request);
  if (refusal) return void response.writeHead(403, { 'content-type': 'text/plain' }).end(`${refusal.message}\n`);
  const metrics = await registry.metrics();
  response.writeHead(200, { 'content-type': registry.contentType }).end(metrics);
}

/** Over TLS the certificate has to be a caller's that is valid now; over plain HTTP there is none to look at. */
function refusalOf({ socket }: IncomingMessage): Failure | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  try {
    const { name, role, notAfter } = callerOf(socket.getPeerCertificate().raw);
    if (!mayReadMetrics(role)) return new Failure('PERMISSION_DENIED', `Cannot read metrics: "${name}" is another node`);
    if (notAfter.getTime() >= Date.now()) return undefined;
    return new Failure('UNAUTHENTICATED', `Cannot accept the certificate of "${name}": it expired`);
  } catch (error) {
    return Failure.from(error);
  }
}

export function listen(server: Server | TlsServer, address: string): Promise<void> {
  const { hostname, port } = new URL(`http://${address}`);
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Failure('CONFIG_INVALID', `Cannot serve metrics on ${address}: ${error.message}`, {}, { cause: error })),
    );
    server.listen(Number(port || 80), hostname.replace(/^\[|\]$/g, ''), resolve);
  });
}
