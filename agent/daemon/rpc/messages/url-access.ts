// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Failure } from '../../../shared/failure.ts';
import type { lamadist } from '../../../shared/gen/messages.js';
import type { BundleAccess } from '../../delivery/bundle-access.ts';
import type { Operation } from '../../update/life/state.ts';

type Message = lamadist.agent.v1.UrlAccess.$Properties;

const MAX_HEADERS = 16;
const MAX_HEADERS_LENGTH = 8 << 10;
const MAX_PEM_LENGTH = 32 << 10;
/** A token and a field value (RFC 9110, sections 5.1 and 5.5). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What the request itself is made of is not the caller's to say. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'range',
  'if-range',
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
]);

/**
 * What a request gives along for the server of its URL; undefined when it gives nothing. The query of the URL belongs to it: where
 * a URL is signed, that is what signs it. Throws INVALID_REQUEST, and quotes no value.
 */
export function urlAccess(message: Message | null | undefined, source: Operation['source']): BundleAccess | undefined {
  const { headers: given = [], clientCertificate = '', clientKey = '' } = message ?? {};
  const query = source.type === 'url' ? new URL(source.url).search : '';
  if (given?.length === 0 && !clientCertificate && !clientKey && !query) return undefined;
  if (source.type !== 'url') throw invalid('headers and client certificates are for a URL, and the source is none');
  const headers = headersOf(given ?? []);
  requirePair(clientCertificate ?? '', clientKey ?? '');
  return { headers, certificate: clientCertificate ?? '', key: clientKey ?? '', query };
}

/** A source as everybody may see it. */
export function withoutQuery(source: Operation['source']): Operation['source'] {
  return source.type === 'url' ? { type: 'url', url: source.url.replace(/[?#].*$/s, '') } : source;
}

const invalid = (found: string): Failure => new Failure('INVALID_REQUEST', `Cannot install: ${found}`, { field: 'url_access' });

function headersOf(given: readonly lamadist.agent.v1.HttpHeader.$Properties[]): Record<string, string> {
  if (given.length > MAX_HEADERS) throw invalid(`there are more than ${MAX_HEADERS} headers`);
  const headers: Record<string, string> = {};
  let length = 0;
  for (const header of given) {
    const [name, value] = [(header.name ?? '').toLowerCase(), header.value ?? ''];
    if (!HEADER_NAME.test(name)) throw invalid('the name of a header is empty, or holds a character that it may not');
    if (OWN_HEADERS.has(name)) throw invalid(`the header "${name}" is the node's own to set`);
    if (!HEADER_VALUE.test(value)) throw invalid(`the value of the header "${name}" holds a character that it may not`);
    if (Object.hasOwn(headers, name)) throw invalid(`the header "${name}" is there twice`);
    length += name.length + value.length;
    headers[name] = value;
  }
  if (length > MAX_HEADERS_LENGTH) throw invalid(`the headers are longer than ${MAX_HEADERS_LENGTH} characters`);
  return headers;
}

/** Looked at now, while the administrator is there, and not in the night of the window. */
function requirePair(certificate: string, key: string): void {
  if (!certificate && !key) return;
  if (!certificate || !key) throw invalid('a client certificate and its key come together');
  if (certificate.length > MAX_PEM_LENGTH || key.length > MAX_PEM_LENGTH) {
    throw invalid(`the client certificate or its key is longer than ${MAX_PEM_LENGTH} characters`);
  }
  let fits: boolean;
  try {
    fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    throw invalid('the client certificate or its key is no PEM that can be read (a key with a passphrase cannot)');
  }
  if (!fits) throw invalid('the client key does not belong to the client certificate');
}
