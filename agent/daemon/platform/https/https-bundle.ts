// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { Failure, type FailureCode } from '../../../shared/failure.ts';
import type { BundleReader } from '../../delivery/bundle-reader.ts';
import { type HttpsIdentity, request } from './request.ts';

/** Looks for a bundle behind a URL: whether it is there, how large it is, and what tells this content from another. */
export async function openHttpsBundle(url: URL, identity: HttpsIdentity, signal: AbortSignal): Promise<BundleReader> {
  const response = await request(url, { ...identity, range: 'bytes=0-0' }, signal);
  response.destroy();
  const sizeBytes = sizeOf(response);
  if (sizeBytes === undefined) throw cannot('DOWNLOAD_REFUSED', 'the server does not tell how large it is');
  const ranges = response.statusCode === 206;
  // What cannot be gone on with needs no name.
  const validator = ranges ? validatorOf(response) : '';
  return {
    sizeBytes,
    validator,
    async *read(offset, length, readSignal) {
      if (!ranges && (offset > 0 || length < sizeBytes))
        throw cannot('DOWNLOAD_REFUSED', 'the server gives it whole only, and no part of it');
      const range = `bytes=${offset}-${offset + length - 1}`;
      const body = await request(url, { ...identity, ...(ranges && { range }), ...(validator && { ifRange: validator }) }, readSignal);
      try {
        if (ranges) requirePart(body, offset, sizeBytes, validator);
        yield* bodyOf(body);
      } finally {
        body.destroy();
      }
    },
  };
}

/** From Content-Range (RFC 9110, section 14.4) of a part, or Content-Length of the whole. */
function sizeOf({ statusCode, headers }: IncomingMessage): number | undefined {
  const text = statusCode === 206 ? /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] : headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

function validatorOf({ headers }: IncomingMessage): string {
  const { etag, 'last-modified': lastModified } = headers;
  // A weak validator may stay when the content changes (RFC 9110, section 8.8.1).
  return etag && !etag.startsWith('W/') ? etag : (lastModified ?? '');
}

/** Not every server heeds If-Range, so what it sends is held against what it said at first. */
function requirePart(body: IncomingMessage, offset: number, sizeBytes: number, validator: string): void {
  if (body.statusCode !== 206 || sizeOf(body) !== sizeBytes || validatorOf(body) !== validator) {
    throw cannot('BUNDLE_CHANGED', 'the server holds another one by now');
  }
  if (body.headers['content-range']?.startsWith(`bytes ${offset}-`)) return;
  throw cannot('DOWNLOAD_REFUSED', 'the server answered with another part than the one that was asked for');
}

async function* bodyOf(response: IncomingMessage): AsyncIterable<Buffer> {
  try {
    for await (const piece of response) yield piece as Buffer;
  } catch (error) {
    throw cannot('DOWNLOAD_FAILED', (error as Error).message);
  }
  if (!response.complete) throw cannot('DOWNLOAD_FAILED', 'the connection ended half-way');
}

const cannot = (code: FailureCode, found: string): Failure => new Failure(code, `Cannot fetch the bundle: ${found}`);
