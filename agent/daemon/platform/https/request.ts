// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import { checkServerIdentity, type PeerCertificate, TLSSocket } from 'node:tls';
import { Failure, type FailureCode } from '../../../shared/failure.ts';
import { type ProxySettings, proxyAgent } from './proxy.ts';

/** Who asks, and whom it trusts. Headers and certificate are for the URL's own origin and go to no other. */
export interface HttpsIdentity {
  readonly headers?: Readonly<Record<string, string>>;
  readonly certificate?: string;
  readonly key?: string;
  /** PEM certificates of the authorities that vouch for the server, instead of the public ones. */
  readonly ca?: string | Buffer;
  readonly proxy?: ProxySettings;
  /** A server that says nothing for this long is taken for gone; 30 seconds unless it says otherwise. */
  readonly silenceMs?: number;
}

export interface RequestOptions extends HttpsIdentity {
  readonly range?: string;
  /** Answers with the whole, and not the range, when the content is another one (RFC 9110, section 13.1.5). */
  readonly ifRange?: string;
}

const MAX_REDIRECTS = 5;
const SILENCE_MS = 30_000;

/**
 * A GET over HTTPS whose redirects lead to HTTPS only. Resolves, as soon as the header is there, with an answer of 200 or 206;
 * fails with BUNDLE_NOT_FOUND, DOWNLOAD_REFUSED when asking again is no use, or DOWNLOAD_FAILED when it may be.
 */
export async function request(url: URL, options: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
  let target = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await get(target, target.origin === url.origin ? options : withoutSecrets(options), signal);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200 || statusCode === 206) return response;
    response.destroy();
    if (!isRedirect(statusCode) || headers.location === undefined) throw refusal(statusCode);
    target = redirected(headers.location, target);
  }
  throw new Failure('DOWNLOAD_REFUSED', `Cannot fetch the bundle: the server redirects more than ${MAX_REDIRECTS} times`);
}

function redirected(location: string, from: URL): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target?.protocol === 'https:') return target;
  throw new Failure('DOWNLOAD_REFUSED', `Cannot fetch the bundle: the server redirects to ${target?.protocol ?? 'what is no URL'}`);
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

const withoutSecrets = ({ range, ifRange, ca, proxy, silenceMs }: RequestOptions): RequestOptions => ({
  ...(proxy && { proxy }),
  ...(silenceMs && { silenceMs }),
  ...(range && { range }),
  ...(ifRange && { ifRange }),
  ...(ca && { ca }),
});

function refusal(statusCode: number): Failure {
  const message = `Cannot fetch the bundle: the server answered ${statusCode}`;
  if (statusCode === 404 || statusCode === 410) return new Failure('BUNDLE_NOT_FOUND', message);
  // 408, 429 and 5xx are about this moment; the other 4xx are about the request.
  const passing = statusCode === 408 || statusCode === 429 || statusCode >= 500;
  return new Failure(passing ? 'DOWNLOAD_FAILED' : 'DOWNLOAD_REFUSED', message);
}

function get(url: URL, options: RequestOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const headers: OutgoingHttpHeaders = { ...options.headers };
  if (options.range) headers.range = options.range;
  if (options.ifRange && options.range) headers['if-range'] = options.ifRange;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls = {
    // Servers of bundles need not be as modern as LamaDist's own connections.
    minVersion: 'TLSv1.2' as const,
    // Within a tunnel nobody else says whose certificate it is to be, where the host is an address.
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
    ...(options.ca && { ca: options.ca }),
    ...(options.certificate && { cert: options.certificate }),
    ...(options.key && { key: options.key }),
  };
  const { silenceMs = SILENCE_MS } = options;
  const silent = () => new Error(`the server was silent for ${silenceMs / 1000} s`);
  return new Promise((resolve, reject) => {
    const gaveUp = new AbortController();
    const agent = proxyAgent(options.proxy, host, gaveUp.signal);
    const outgoing = https.get(url, { headers, signal, timeout: silenceMs, agent, ...tls });
    const settled = new AbortController();
    // Until there is a socket, which a proxy may keep back, a request neither times out nor tells that it was destroyed.
    const giveUp = (error: Error) => {
      settled.abort();
      reject(signal.aborted ? signal.reason : unreachable(error));
      outgoing.destroy();
      gaveUp.abort();
    };
    const patience = setTimeout(() => giveUp(silent()), silenceMs);
    settled.signal.addEventListener('abort', () => clearTimeout(patience));
    signal.addEventListener('abort', () => giveUp(signal.reason), { signal: settled.signal });
    outgoing.on('response', (response) => {
      // What a proxy says instead of opening the tunnel must not pass for an answer of the server.
      if (!(response.socket instanceof TLSSocket)) return giveUp(new Error(`the proxy answered ${response.statusCode}`));
      settled.abort();
      outgoing.off('timeout', hangUp);
      endWhenSilent(response, silenceMs, silent);
      resolve(response);
    });
    const hangUp = () => outgoing.destroy(silent());
    outgoing.on('timeout', hangUp);
    outgoing.on('error', giveUp);
  });
}

/** A server is silent only while somebody waits for it: one whose answer is not read keeps its connection. */
function endWhenSilent(response: IncomingMessage, silenceMs: number, silent: () => Error): void {
  const { socket } = response;
  socket.on('timeout', () => {
    if (response.readableLength > 0) socket.setTimeout(silenceMs);
    else response.destroy(silent());
  });
}

/** What Node and OpenSSL call a certificate that they do not accept. Asking again would bring the same one. */
const UNTRUSTED = /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|HOSTNAME_)/;

function unreachable(error: NodeJS.ErrnoException): Failure {
  return new Failure(codeOf(error), `Cannot fetch the bundle: ${error.message}`, {}, { cause: error });
}

function codeOf({ code = '' }: NodeJS.ErrnoException): FailureCode {
  // The one that passes by itself, as soon as this node's clock is set.
  if (code === 'CERT_NOT_YET_VALID') return 'CERTIFICATE_NOT_YET_VALID';
  return UNTRUSTED.test(code) ? 'DOWNLOAD_REFUSED' : 'DOWNLOAD_FAILED';
}
