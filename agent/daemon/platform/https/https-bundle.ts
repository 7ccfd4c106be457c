// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { Failure } from '../../../shared/failure.ts';
import type { BundleReader } from '../../delivery/bundle-reader.ts';
import { type HttpsIdentity, request } from './request.ts';

/** Looks for a bundle behind a URL: whether it is there, how large it is, and what tells this content from another. */
export async function openHttpsBundle(url: URL, identity: HttpsIdentity, signal: AbortSignal): Promise<BundleReader> {
  const response = await request(url, { ...identity, range: 'bytes=0-0' }, signal);
  response.destroy();
  const sizeBytes = sizeOf(response);
  if (sizeBytes === undefined) throw broken('the server does not tell how large it is');
  const { etag, 'last-modified': lastModified } = response.headers;
  // A weak validator may stay when the content changes (RFC 9110, section 8.8.1).
  const validator = etag && !etag.startsWith('W/') ? etag : (lastModified ?? '');
  const ranges = response.statusCode === 206;
  return {
    sizeBytes,
    validator,
    async *read(offset, length, readSignal) {
      if (offset > 0 && !ranges) throw new Failure('DOWNLOAD_FAILED', 'Cannot go on fetching the bundle: the server knows no ranges');
      const range = `bytes=${offset}-${offset + length - 1}`;
      const body = await request(url, { ...identity, ...(ranges && { range }), ...(validator && { ifRange: validator }) }, readSignal);
      if (ranges && body.statusCode !== 206) {
        body.destroy();
        throw new Failure('BUNDLE_CHANGED', 'Cannot go on fetching the bundle: the server holds another one by now');
      }
      if (ranges && !body.headers['content-range']?.startsWith(`bytes ${offset}-`)) {
        body.destroy();
        throw new Failure(
          'DOWNLOAD_REFUSED',
          'Cannot fetch the bundle: the server answered with another part than the one that was asked for',
        );
      }
      yield* bodyOf(body);
    },
  };
}

/** From Content-Range (RFC 9110, section 14.4) of a part, or Content-Length of the whole. */
function sizeOf({ statusCode, headers }: IncomingMessage): number | undefined {
  const text = statusCode === 206 ? /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1] : headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

async function* bodyOf(response: IncomingMessage): AsyncIterable<Buffer> {
  try {
    for await (const piece of response) yield piece as Buffer;
  } catch (error) {
    throw broken((error as Error).message);
  }
  if (!response.complete) throw broken('the connection ended half-way');
}

const broken = (found: string): Failure => new Failure('DOWNLOAD_FAILED', `Cannot fetch the bundle: ${found}`);
