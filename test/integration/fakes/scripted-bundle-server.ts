// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { CertificateAuthority, type Credentials } from '../../../qemu/pki/certificate-authority.ts';

export const BUNDLE = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

/** Servers of a bundle over real TLS on loopback, each with a script of answers, well or ill behaved. */
export class ScriptedServers {
  private constructor(
    /** PEM of the authority that vouches for them. */
    readonly ca: Buffer,
    private readonly identity: Credentials,
  ) {}

  static async create(): Promise<ScriptedServers> {
    const authority = await CertificateAuthority.create('bundles');
    const identity = await authority.issue({ commonName: 'bundles', purpose: 'server', ipAddresses: ['127.0.0.1'] });
    return new ScriptedServers(Buffer.from(authority.certificate), identity);
  }

  /** Answers requests in turn, the last answer for ever, until the test is over; keeps the ranges that were asked for. */
  async serve(...answers: RequestListener[]) {
    const ranges: (string | undefined)[] = [];
    const { certificate, key } = this.identity;
    const server = createServer({ cert: certificate, key }, (request, response) => {
      const answer = answers[Math.min(ranges.length, answers.length - 1)];
      ranges.push(request.headers.range);
      answer?.(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v2.raucb`, ranges, server };
  }
}

const offsetOf = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);

/** As much of the bundle as was asked for. */
export function whole(request: IncomingMessage, response: ServerResponse): void {
  const offset = offsetOf(request);
  const rest = BUNDLE.subarray(offset);
  if (offset === 0) response.writeHead(200, { 'content-length': rest.length });
  else if (rest.length === 0) return void response.writeHead(416, { 'content-range': `bytes */${BUNDLE.length}` }).end();
  else response.writeHead(206, { 'content-length': rest.length, 'content-range': `bytes ${offset}-${BUNDLE.length - 1}/${BUNDLE.length}` });
  response.end(rest);
}

/** Promises the rest, sends so many bytes of it, and hangs up when they are on the client's disk. */
export const breaking =
  (bytes: number, path: string): RequestListener =>
  async (request, response) => {
    const offset = offsetOf(request);
    const range = { 'content-range': `bytes ${offset}-${BUNDLE.length - 1}/${BUNDLE.length}` };
    response.writeHead(offset > 0 ? 206 : 200, { 'content-length': BUNDLE.length - offset, ...(offset > 0 && range) });
    response.write(BUNDLE.subarray(offset, offset + bytes));
    const arrived = () =>
      stat(path).then(
        ({ size }) => size === offset + bytes,
        () => false,
      );
    await vi.waitUntil(arrived, { interval: 5 }).catch(() => undefined);
    response.destroy();
  };

/** A status and no bundle. */
export const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end('not a bundle');

/** Five of ten promised bytes, and then nothing more. */
export const fallingSilent: RequestListener = (_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('12345');
