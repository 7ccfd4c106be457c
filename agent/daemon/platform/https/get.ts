// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { Failure } from '../../../shared/failure.ts';

const MAX_REDIRECTS = 5;

export interface GetOptions {
  readonly headers: OutgoingHttpHeaders;
  /** PEM certificates of the authorities that may vouch for the server, instead of the public ones. */
  readonly ca: Buffer | undefined;
  /** A server that says nothing for this long is taken for gone. */
  readonly silenceMs: number;
}

/** A GET over HTTPS that follows redirects to HTTPS only. Resolves with the response as soon as its header is there. */
export async function get(url: string, options: GetOptions, signal: AbortSignal): Promise<IncomingMessage> {
  let target = new URL(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    if (target.protocol !== 'https:')
      throw new Failure('DOWNLOAD_FAILED', `Cannot download the bundle: the server redirects to ${target.protocol}`);
    const response = await request(target, options, signal);
    const { location } = response.headers;
    if (!isRedirect(response.statusCode) || location === undefined) return response;
    response.destroy();
    target = new URL(location, target);
  }
  throw new Failure('DOWNLOAD_FAILED', `Cannot download the bundle: the server redirects more than ${MAX_REDIRECTS} times`);
}

const isRedirect = (status = 0): boolean => [301, 302, 303, 307, 308].includes(status);

function request(url: URL, { headers, ca, silenceMs }: GetOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Servers of bundles need not be as modern as LamaDist's own connections.
    const outgoing = https.get(url, { headers, signal, minVersion: 'TLSv1.2', timeout: silenceMs, ...(ca && { ca }) });
    const silent = () => new Error(`the server was silent for ${silenceMs / 1000} s`);
    outgoing.on('response', (response) => {
      outgoing.prependListener('timeout', () => response.destroy(silent()));
      resolve(response);
    });
    outgoing.on('timeout', () => outgoing.destroy(silent()));
    outgoing.on('error', reject);
  });
}
