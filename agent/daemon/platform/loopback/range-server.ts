// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import type { RangeServer } from '../../delivery/bundle-delivery.ts';

type ReadRange = (offset: number, length: number) => AsyncIterable<Buffer>;

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * An HTTP server for RAUC, which streams a bundle by ranges (RFC 9110, section 14). It listens on a loopback address, on a
 * port and under a path that nobody can guess, and only while a bundle is offered.
 */
export class LoopbackRangeServer implements RangeServer {
  readonly #log: Logger;
  #server: Server | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  async serve(sizeBytes: number, read: ReadRange): Promise<string> {
    await this.close();
    const path = `/${randomBytes(32).toString('hex')}/bundle.raucb`;
    const server = createServer((request, response) => {
      answer(request, response, path, sizeBytes, read).catch((error) => {
        this.#log.warn({ err: error }, 'A part of the bundle could not be given to RAUC');
        response.destroy();
      });
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, path: string, sizeBytes: number, read: ReadRange): Promise<void> {
  if (request.url !== path || (request.method !== 'GET' && request.method !== 'HEAD')) {
    response.writeHead(404).end();
    return;
  }
  // A range has a meaning for GET alone (RFC 9110, section 14.2).
  const range = request.method === 'GET' ? rangeOf(request.headers.range, sizeBytes) : undefined;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${sizeBytes}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  const headers = { 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream', 'content-length': end - start + 1 };
  if (range) response.writeHead(206, { ...headers, 'content-range': `bytes ${start}-${end}/${sizeBytes}` });
  else response.writeHead(200, headers);
  if (request.method === 'HEAD') response.end();
  else await pipeline(Readable.from(read(start, end - start + 1)), response);
}

/** One range, as RAUC asks for it; several, or another unit, mean the whole (RFC 9110, section 14.2). */
function rangeOf(header: string | undefined, sizeBytes: number): Range | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(sizeBytes - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}
