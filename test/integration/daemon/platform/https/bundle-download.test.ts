// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../../../agent/daemon/clock.ts';
import { bundleDownloader, type DownloadOptions } from '../../../../../agent/daemon/platform/https/bundle-download.ts';
import { CertificateAuthority, type Credentials } from '../../../../../qemu/pki/certificate-authority.ts';
import { temporaryFolder } from '../../../../unit/fakes/folder.ts';

const BUNDLE = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

let authority: CertificateAuthority;
let identity: Credentials;
beforeAll(async () => {
  authority = await CertificateAuthority.create('bundles');
  identity = await authority.issue({ commonName: 'bundles', purpose: 'server', ipAddresses: ['127.0.0.1'] });
});

/** A server of bundles, which answers requests in turn, the last answer for ever; keeps the ranges that were asked for. */
async function serving(...answers: RequestListener[]) {
  const ranges: (string | undefined)[] = [];
  const server = createServer({ cert: identity.certificate, key: identity.key }, (request, response) => {
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

const offsetOf = ({ headers }: IncomingMessage): number => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);

/** As much of the bundle as was asked for. */
function whole(request: IncomingMessage, response: ServerResponse): void {
  const offset = offsetOf(request);
  const rest = BUNDLE.subarray(offset);
  if (offset === 0) response.writeHead(200, { 'content-length': rest.length });
  else if (rest.length === 0) return void response.writeHead(416, { 'content-range': `bytes */${BUNDLE.length}` }).end();
  else response.writeHead(206, { 'content-length': rest.length, 'content-range': `bytes ${offset}-${BUNDLE.length - 1}/${BUNDLE.length}` });
  response.end(rest);
}

/** Promises the rest, sends so many bytes of it, and hangs up when they are on the client's disk. */
const breaking =
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

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end('not a bundle');

// Octet by octet, as toEqual compares, takes longer than the download.
const holdsBundle = async (path: string) => (await readFile(path)).equals(BUNDLE);

/** A downloader with a folder of its own, to which no pause is long. */
async function downloading(changes: Partial<DownloadOptions> = {}) {
  const folder = join(await temporaryFolder(), 'download');
  const pauses: number[] = [];
  const sleep = async (durationMs: number, signal: AbortSignal) => {
    pauses.push(durationMs);
    signal.throwIfAborted();
  };
  const clock = { ...systemClock, sleep };
  const ca = Buffer.from(authority.certificate);
  const downloader = bundleDownloader({ folder, maximumBytes: 1_000_000, ca, clock, ...changes });
  const percents: number[] = [];
  const stop = new AbortController();
  const fetch = (url: string) => downloader.download(url, 'op', (percent) => percents.push(percent), stop.signal);
  return { folder, path: join(folder, 'op.raucb'), downloader, fetch, percents, pauses, stop };
}

describe('a download', () => {
  it('brings the bundle whole, for RAUC to read, and tells how far it is', async () => {
    const { url } = await serving(whole);
    const { path, fetch, percents } = await downloading();
    expect(await fetch(url)).toBe(path);
    expect(await holdsBundle(path)).toBe(true);
    expect(percents.at(-1)).toBe(100);
    expect(percents).toEqual([...new Set(percents)].sort((a, b) => a - b));
  });

  it('goes on after each broken connection where it broke', async () => {
    const { path, fetch, percents, pauses } = await downloading();
    const { url, ranges } = await serving(breaking(30_000, path), breaking(0, path), breaking(20_000, path), whole);
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=30000-', 'bytes=30000-', 'bytes=50000-']);
    expect(pauses).toEqual([1_000, 2_000, 4_000]);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
  });

  it('gives up after five attempts, and goes on from there when it is asked for again', async () => {
    const { path, fetch } = await downloading();
    const { url, ranges } = await serving(...Array.from({ length: 5 }, () => breaking(10_000, path)), whole);
    await expect(fetch(url)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: 'Cannot download the bundle: the connection ended half-way',
    });
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges.at(-1)).toBe('bytes=50000-');
  });

  it('that is complete is not fetched again', async () => {
    const { url, ranges } = await serving(whole);
    const { fetch } = await downloading();
    await fetch(url);
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=100000-']);
  });

  it.each<[string, RequestListener]>([
    ['knows no ranges', (_request, response) => void response.end(BUNDLE)],
    [
      'holds a shorter bundle by now',
      (request, response) => (request.headers.range ? answering(416, { 'content-range': 'bytes */100000' }) : whole)(request, response),
    ],
  ])('begins anew where the server %s', async (_what, server) => {
    const { url } = await serving(server);
    const { folder, path, fetch } = await downloading();
    await mkdir(folder);
    await writeFile(path, Buffer.alloc(100_001, 'x'));
    expect(await holdsBundle(await fetch(url))).toBe(true);
  });

  it('never joins a part that does not belong there', async () => {
    const other = { 'content-range': 'bytes 0-11/12' };
    const { path, fetch } = await downloading();
    const { url } = await serving(breaking(30_000, path), answering(206, other), whole);
    expect(await holdsBundle(await fetch(url))).toBe(true);
  });

  it('without a length is fetched all the same', async () => {
    const { url } = await serving((_request, response) => {
      response.write(BUNDLE.subarray(0, 10));
      response.end(BUNDLE.subarray(10));
    });
    const { fetch, percents } = await downloading();
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(percents).toEqual([0]);
  });

  it.each([404, 410])('of a bundle that is not there ends at once with %i', async (status) => {
    const { url, ranges } = await serving(answering(status));
    const { fetch } = await downloading();
    await expect(fetch(url)).rejects.toMatchObject({
      code: 'BUNDLE_NOT_FOUND',
      message: `Cannot download the bundle: the server answered ${status}`,
    });
    expect(ranges).toHaveLength(1);
  });

  it.each([403, 500, 503])('is tried again after %i', async (status) => {
    const { url } = await serving(answering(status), whole);
    expect(await holdsBundle(await (await downloading()).fetch(url))).toBe(true);
    const { url: never, ranges } = await serving(answering(status));
    await expect((await downloading()).fetch(never)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(ranges).toHaveLength(5);
  });

  const large = { code: 'BUNDLE_TOO_LARGE' };
  it.each<[string, RequestListener, string]>([
    ['says so', whole, 'Cannot download the bundle: it has 100000 bytes, and at most 99999 are allowed'],
    [
      'does not say so',
      (_request, response) => void response.write(BUNDLE, () => response.end()),
      'Cannot download the bundle: it has more than 99999 bytes',
    ],
  ])('of a bundle that is too large ends at once when the server %s', async (_what, server, message) => {
    const { url, ranges } = await serving(server);
    const { folder, fetch, downloader } = await downloading({ maximumBytes: 99_999 });
    await expect(fetch(url)).rejects.toMatchObject({ ...large, message });
    expect(ranges).toHaveLength(1);
    await downloader.remove('op');
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    [99_999, large],
    [100_000, {}],
  ])('counts what it has already against a largest size of %i', async (maximumBytes, outcome) => {
    const { folder, path, fetch } = await downloading({ maximumBytes });
    const { url } = await serving(whole);
    await mkdir(folder);
    await writeFile(path, BUNDLE.subarray(0, 60_000));
    expect(await fetch(url).catch((error) => error)).toMatchObject(outcome);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with %i to https is followed', async (status) => {
    const { path, fetch } = await downloading();
    const { url: to, ranges } = await serving(breaking(30_000, path), whole);
    const { url } = await serving(answering(status, { location: to }));
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=30000-']);
  });

  it('may be relative', async () => {
    const { url } = await serving((request, response) => {
      if (request.url === '/v2.raucb') response.writeHead(302, { location: 'files/2' }).end();
      else whole(request, response);
    });
    expect(await holdsBundle(await (await downloading()).fetch(url))).toBe(true);
  });

  it('to http is refused', async () => {
    let asked = 0;
    const plain = createPlainServer((_request, response) => {
      asked += 1;
      response.end(BUNDLE);
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    onTestFinished(() => void plain.close());
    const location = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/v2.raucb`;
    const { url } = await serving(answering(302, { location }));
    await expect((await downloading()).fetch(url)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: 'Cannot download the bundle: the server redirects to http:',
    });
    expect(asked).toBe(0);
  });

  it.each([
    ['for ever', '/v2.raucb', 'the server redirects more than 5 times'],
    ['to nowhere', 'https://', 'Invalid URL'],
  ])('%s ends', async (_where, location, found) => {
    const { url } = await serving(answering(302, { location }));
    await expect((await downloading()).fetch(url)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: `Cannot download the bundle: ${found}`,
    });
  });

  it('without a place is no bundle', async () => {
    const { url } = await serving(answering(302));
    await expect((await downloading()).fetch(url)).rejects.toMatchObject({
      message: 'Cannot download the bundle: the server answered 302',
    });
  });
});

describe('a server', () => {
  it.each<[string, RequestListener]>([
    ['before its answer', () => {}],
    ['in the middle of it', (_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('12345')],
  ])('that falls silent %s is left', async (_when, silent) => {
    const { url } = await serving(silent, whole);
    const { fetch, pauses } = await downloading({ silenceMs: 100 });
    await fetch(url);
    expect(pauses).toEqual([1_000]);
    const { url: never } = await serving(silent);
    await expect((await downloading({ silenceMs: 50 })).fetch(never)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: 'Cannot download the bundle: the server was silent for 0.05 s',
    });
  });

  it('that nobody vouches for is not trusted', async () => {
    const { url, ranges } = await serving(whole);
    const stranger = await CertificateAuthority.create('stranger');
    await expect((await downloading({ ca: Buffer.from(stranger.certificate) })).fetch(url)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/certificate/),
    });
    expect(ranges).toEqual([]);
  });

  it('with another name is not trusted', async () => {
    const { url, ranges } = await serving(whole);
    await expect((await downloading()).fetch(url.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(ranges).toEqual([]);
  });

  it('that is not there is told by its address', async () => {
    await expect((await downloading()).fetch('https://127.0.0.1:1/')).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('127.0.0.1:1'),
    });
  });
});

describe('the disk', () => {
  it('that is full ends the download at once', async () => {
    const { url, ranges } = await serving(whole);
    const { folder, path, fetch } = await downloading();
    await mkdir(folder);
    await symlink('/dev/full', path);
    await expect(fetch(url)).rejects.toMatchObject({
      code: 'NO_SPACE',
      message: 'Cannot download the bundle: the data file system is full',
    });
    expect(ranges).toHaveLength(1);
  });

  it('that cannot hold the folder is told', async () => {
    const { url } = await serving(whole);
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const { fetch } = await downloading({ folder: join(file, 'download') });
    await expect(fetch(url)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringContaining('ENOTDIR') });
  });

  it('is free again when the download is removed, and it does not matter whether there was one', async () => {
    const { url } = await serving(whole);
    const { folder, fetch, downloader } = await downloading();
    await fetch(url);
    await downloader.remove('op');
    await downloader.remove('op');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a download that nobody wants any longer', () => {
  it.each<[string, RequestListener]>([
    ['while the server is silent', () => {}],
    ['while it sends', (_request, response) => void response.writeHead(200, { 'content-length': 10 }).write('12345')],
  ])('ends %s, and closes its connection', async (_when, listener) => {
    const { url, ranges, server } = await serving(listener);
    const { fetch, stop } = await downloading();
    const done = fetch(url).catch((error) => error);
    await vi.waitUntil(() => ranges.length > 0);
    stop.abort(new Error('enough'));
    expect(await done).toMatchObject({ message: 'enough' });
    await vi.waitUntil(async () => (await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 0);
    expect(ranges).toHaveLength(1);
  });

  it('does not begin', async () => {
    const { url, ranges } = await serving(whole);
    const { fetch, stop } = await downloading();
    stop.abort(new Error('enough'));
    await expect(fetch(url)).rejects.toThrow('enough');
    expect(ranges).toEqual([]);
  });
});
