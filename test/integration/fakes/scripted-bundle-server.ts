// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { CertificateAuthority, type Credentials } from '../../../qemu/pki/certificate-authority.ts';

export const BUNDLE = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
export const ETAG = '"v2"';

/** What a server saw of a request. */
interface Seen {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
  /** Common Name of the client's certificate, if it showed one. */
  readonly client: string | undefined;
}

/** Servers of a bundle over real TLS on loopback, each with a script of answers, well or ill behaved. */
export class ScriptedServers {
  private constructor(
    /** PEM of the authority that vouches for them. */
    readonly ca: Buffer,
    /** For a client that they know. */
    readonly client: Credentials,
    private readonly identity: Credentials,
  ) {}

  static async create(): Promise<ScriptedServers> {
    const authority = await CertificateAuthority.create('bundles');
    const identity = await authority.issue({ commonName: 'bundles', purpose: 'server', ipAddresses: ['127.0.0.1'] });
    const client = await authority.issue({ commonName: 'attic', purpose: 'client' });
    return new ScriptedServers(Buffer.from(authority.certificate), client, identity);
  }

  /** Answers requests in turn, the last answer for ever, until the test is over; keeps what it saw of them. */
  async serve(...answers: RequestListener[]) {
    const seen: Seen[] = [];
    const { certificate, key } = this.identity;
    const options: ServerOptions = { cert: certificate, key, ca: this.ca, requestCert: true, rejectUnauthorized: false };
    const server = createServer(options, (request, response) => {
      const answer = answers[Math.min(seen.length, answers.length - 1)];
      seen.push(look(request));
      answer?.(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/v2.raucb`);
    return { url, seen, server };
  }
}

function look({ headers, socket }: IncomingMessage): Seen {
  const peer = (socket as TLSSocket).getPeerCertificate();
  return {
    range: headers.range,
    ifRange: headers['if-range']?.toString(),
    authorization: headers.authorization,
    client: peer.subject?.CN?.toString(),
  };
}

/** The part that was asked for. */
function partOf({ headers }: IncomingMessage): { start: number; end: number } {
  const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  return { start: Number(first), end: last === '' ? BUNDLE.length - 1 : Math.min(Number(last), BUNDLE.length - 1) };
}

type Headers = Readonly<Record<string, string>>;

/** As much of the bundle as was asked for, under an ETag or other headers. */
export const ranged =
  (headers: Headers = { etag: ETAG }): RequestListener =>
  (request, response) => {
    const { start, end } = partOf(request);
    const range = `bytes ${start}-${end}/${BUNDLE.length}`;
    response.writeHead(206, { 'content-length': end - start + 1, 'content-range': range, ...headers });
    response.end(BUNDLE.subarray(start, end + 1));
  };

/** All of the bundle, whatever was asked for: a server that knows no ranges. */
export const whole: RequestListener = (_request, response) =>
  void response.writeHead(200, { 'content-length': BUNDLE.length, etag: ETAG }).end(BUNDLE);

/** Promises what was asked for, sends so many bytes of it, and then does this. */
const sendingOnly =
  (bytes: number, then: (response: ServerResponse) => void): RequestListener =>
  (request, response) => {
    const { start, end } = partOf(request);
    const range = `bytes ${start}-${end}/${BUNDLE.length}`;
    response.writeHead(206, { 'content-length': end - start + 1, 'content-range': range, etag: ETAG });
    response.write(BUNDLE.subarray(start, start + bytes), () => then(response));
  };

/** Hangs up when so many bytes had the time to arrive. */
export const breaking = (bytes: number): RequestListener =>
  sendingOnly(bytes, (response) => void setTimeout(() => response.socket?.destroy(), 200));

/** Five bytes, and then nothing more. */
export const fallingSilent: RequestListener = sendingOnly(5, () => {});

/** A status and no bundle. */
export const answering =
  (status: number, headers: Headers = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end('not a bundle');
