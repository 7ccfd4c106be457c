// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { CertificateAuthority } from '../../../qemu/pki/certificate-authority.ts';

export interface BundleServer {
  readonly url: string;
  /** The first octet of each answer that was begun. */
  readonly offsets: readonly number[];
  /** Sends no more than this much of any answer from now on, and holds the rest back. */
  hold(octets: number): void;
  /** Hangs up on the next answers after so much of each, in turn. */
  breakOff(...octets: number[]): void;
  /** Sends every request to itself again, for ever. */
  redirectToItself(): void;
  /** Sends all of it again; what was held back goes out. */
  release(): void;
  close(): void;
}

/** A web server with one bundle, over real TLS on loopback, which nodes may know as another host, that understands ranges; it may want to see a header. */
export async function serveBundle(
  authority: CertificateAuthority,
  bundle: string,
  authorization?: string,
  host = '127.0.0.1',
): Promise<BundleServer> {
  const { certificate, key } = await authority.issue({ commonName: 'bundles', purpose: 'server', ipAddresses: [host] });
  const offsets: number[] = [];
  const breaks: number[] = [];
  let redirects = false;
  let gate = { limit: Number.POSITIVE_INFINITY, opened: Promise.resolve(), open: () => {} };
  const server = https.createServer({ cert: certificate, key }, (request, response) => {
    if (request.headers.authorization !== authorization) return void response.writeHead(401).end();
    if (redirects) return void response.writeHead(302, { location: '/v2.raucb' }).end();
    void send().catch(() => response.destroy());
    async function send(): Promise<void> {
      const { size } = await stat(bundle);
      const [, first = '0', last = `${size - 1}`] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
      const [start, end] = [Number(first), Number(last)];
      const length = end - start + 1;
      response.writeHead(206, { etag: `"${size}"`, 'content-length': length, 'content-range': `bytes ${start}-${end}/${size}` });
      // The first octet is asked for to learn the size.
      if (end > 0) offsets.push(start);
      const broken = end > 0 ? breaks.shift() : undefined;
      if (broken !== undefined) {
        await pipeline(createReadStream(bundle, { start, end: start + broken - 1 }), response, { end: false });
        // What was sent is on its way; whoever cuts a cable does not call it back.
        return void setTimeout(() => response.destroy(), 300);
      }
      const { limit, opened } = gate;
      if (limit < length) {
        await pipeline(createReadStream(bundle, { start, end: start + limit - 1 }), response, { end: false });
        await opened;
        await pipeline(createReadStream(bundle, { start: start + limit, end }), response);
      } else {
        await pipeline(createReadStream(bundle, { start, end }), response);
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://${host}:${(server.address() as AddressInfo).port}/v2.raucb`,
    offsets,
    hold(limit) {
      let open = () => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      gate = { limit, opened, open };
    },
    breakOff: (...octets) => void breaks.push(...octets),
    redirectToItself() {
      redirects = true;
    },
    release() {
      const { open } = gate;
      gate = { limit: Number.POSITIVE_INFINITY, opened: Promise.resolve(), open: () => {} };
      open();
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
