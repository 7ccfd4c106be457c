// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { Failure } from '../../../shared/failure.ts';

const MAX_REDIRECTS = 5;
/** A server that says nothing for this long is taken for gone. */
const SILENCE_MS = 30_000;

/** A GET over HTTPS that follows redirects to HTTPS only. Resolves with the response as soon as its header is there. */
export async function get(
  url: string,
  headers: OutgoingHttpHeaders,
  ca: Buffer | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let target = new URL(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    if (target.protocol !== 'https:')
      throw new Failure('DOWNLOAD_FAILED', `Cannot download the bundle: the server redirects to ${target.protocol}`);
    const response = await request(target, headers, ca, signal);
    const { location } = response.headers;
    if (!isRedirect(response.statusCode) || location === undefined) return response;
    response.destroy();
    target = new URL(location, target);
  }
  throw new Failure('DOWNLOAD_FAILED', `Cannot download the bundle: the server redirects more than ${MAX_REDIRECTS} times`);
}

const isRedirect = (status = 0): boolean => [301, 302, 303, 307, 308].includes(status);

function request(url: URL, headers: OutgoingHttpHeaders, ca: Buffer | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Servers of bundles need not be as modern as LamaDist's own connections.
    const outgoing = https.get(url, { headers, signal, minVersion: 'TLSv1.2', timeout: SILENCE_MS, ...(ca && { ca }) }, resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`the server was silent for ${SILENCE_MS / 1000} s`)));
    outgoing.on('error', reject);
  });
}
