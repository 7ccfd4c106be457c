// SPDX-License-Identifier: Apache-2.0
import { createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../../shared/failure.ts';
import type { Clock } from '../../clock.ts';
import type { Downloader } from '../../update/ports.ts';
import { get } from './get.ts';

export interface DownloadOptions {
  /** On the data file system; its content is the downloader's alone. */
  readonly folder: string;
  readonly maximumBytes: number;
  /** PEM certificates of the authorities that may vouch for the server, instead of the public ones. */
  readonly ca?: Buffer;
  readonly clock: Clock;
  /** A server that says nothing for this long is taken for gone; 30 seconds unless it says otherwise. */
  readonly silenceMs?: number;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;
const SILENCE_MS = 30_000;

/** Fetches bundles over HTTPS to the node's own disk, going on after a broken connection where it broke. */
export function bundleDownloader(options: DownloadOptions): Downloader {
  const pathOf = (operationId: string): string => join(options.folder, `${operationId}.raucb`);
  return {
    async download(url, operationId, onPercent, signal) {
      const path = pathOf(operationId);
      for (let attempt = 1; ; attempt++) {
        try {
          await mkdir(options.folder, { recursive: true, mode: 0o755 });
          await fetchRest(url, path, options, onPercent, signal);
          return path;
        } catch (error) {
          signal.throwIfAborted();
          const failure = asFailure(error);
          if (failure.code !== 'DOWNLOAD_FAILED' || attempt === ATTEMPTS) throw failure;
          await options.clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
        }
      }
    },
    remove: (operationId) => rm(pathOf(operationId), { force: true }),
  };
}

async function fetchRest(
  url: string,
  path: string,
  options: DownloadOptions,
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const have = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  const { ca, silenceMs = SILENCE_MS } = options;
  const response = await get(url, { headers: have > 0 ? { range: `bytes=${have}-` } : {}, ca, silenceMs }, signal);
  const contentRange = response.headers['content-range'] ?? '';
  if (response.statusCode === 416 && have > 0) {
    response.destroy();
    // Nothing follows the last byte (RFC 9110, section 15.5.17): the file was complete already, or is another bundle's.
    if (contentRange === '' || contentRange === `bytes */${have}`) return;
    await rm(path);
    throw new Failure('DOWNLOAD_FAILED', 'Cannot go on with the download: the server holds another bundle by now');
  }
  const resumed = response.statusCode === 206 && contentRange.startsWith(`bytes ${have}-`);
  if (!resumed && response.statusCode !== 200) {
    response.destroy();
    const code = response.statusCode === 404 || response.statusCode === 410 ? 'BUNDLE_NOT_FOUND' : 'DOWNLOAD_FAILED';
    throw new Failure(code, `Cannot download the bundle: the server answered ${response.statusCode}`);
  }
  const offset = resumed ? have : 0;
  const total = offset + Number(response.headers['content-length'] ?? Number.NaN);
  if (total > options.maximumBytes) {
    response.destroy();
    throw new Failure(
      'BUNDLE_TOO_LARGE',
      `Cannot download the bundle: it has ${total} bytes, and at most ${options.maximumBytes} are allowed`,
    );
  }
  const sink = createWriteStream(path, { flags: resumed ? 'a' : 'w', mode: 0o644, flush: true });
  await pipeline(response, meter(offset, total, options.maximumBytes, onPercent), sink, { signal });
  requireComplete(response);
}

function meter(offset: number, total: number, maximumBytes: number, onPercent: (percent: number) => void): Transform {
  let received = offset;
  let reported = -1;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (received > maximumBytes)
        return done(new Failure('BUNDLE_TOO_LARGE', `Cannot download the bundle: it has more than ${maximumBytes} bytes`));
      const percent = Number.isNaN(total) ? 0 : Math.floor((received / total) * 100);
      if (percent !== reported) onPercent(percent);
      reported = percent;
      done(null, chunk);
    },
  });
}

function requireComplete(response: IncomingMessage): void {
  if (!response.complete) throw new Failure('DOWNLOAD_FAILED', 'Cannot download the bundle: the connection ended half-way');
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Failure('NO_SPACE', 'Cannot download the bundle: the data file system is full', {}, { cause: error });
  const found = code === 'ECONNRESET' ? 'the connection ended half-way' : message;
  return new Failure('DOWNLOAD_FAILED', `Cannot download the bundle: ${found}`, {}, { cause: error });
}
