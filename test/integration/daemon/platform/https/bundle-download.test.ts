// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../../agent/daemon/clock.ts';
import { bundleDownloader, type DownloadOptions } from '../../../../../agent/daemon/platform/https/bundle-download.ts';
import { temporaryFolder } from '../../../../unit/fakes/folder.ts';
import { answering, BUNDLE, breaking, fallingSilent, ScriptedServers, whole } from '../../../fakes/scripted-bundle-server.ts';

let servers: ScriptedServers;
beforeAll(async () => {
  servers = await ScriptedServers.create();
});

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
  const downloader = bundleDownloader({ folder, maximumBytes: 1_000_000, ca: servers.ca, clock, ...changes });
  const percents: number[] = [];
  const stop = new AbortController();
  const fetch = (url: string) => downloader.download(url, 'op', (percent) => percents.push(percent), stop.signal);
  return { folder, path: join(folder, 'op.raucb'), downloader, fetch, percents, pauses, stop };
}

describe('a download', () => {
  it('brings the bundle whole, for RAUC to read, and tells how far it is', async () => {
    const { url } = await servers.serve(whole);
    const { path, fetch, percents } = await downloading();
    expect(await fetch(url)).toBe(path);
    expect(await holdsBundle(path)).toBe(true);
    expect(percents.at(-1)).toBe(100);
    expect(percents).toEqual([...new Set(percents)].sort((a, b) => a - b));
  });

  it('goes on after each broken connection where it broke', async () => {
    const { path, fetch, percents, pauses } = await downloading();
    const { url, ranges } = await servers.serve(breaking(30_000, path), breaking(0, path), breaking(20_000, path), whole);
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=30000-', 'bytes=30000-', 'bytes=50000-']);
    expect(pauses).toEqual([1_000, 2_000, 4_000]);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
  });

  it('gives up after five attempts, and goes on from there when it is asked for again', async () => {
    const { path, fetch } = await downloading();
    const { url, ranges } = await servers.serve(...Array.from({ length: 5 }, () => breaking(10_000, path)), whole);
    await expect(fetch(url)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: 'Cannot download the bundle: the connection ended half-way',
    });
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges.at(-1)).toBe('bytes=50000-');
  });

  it('that is complete is not fetched again', async () => {
    const { url, ranges } = await servers.serve(whole);
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
    const { url } = await servers.serve(server);
    const { folder, path, fetch } = await downloading();
    await mkdir(folder);
    await writeFile(path, Buffer.alloc(100_001, 'x'));
    expect(await holdsBundle(await fetch(url))).toBe(true);
  });

  it('never joins a part that does not belong there', async () => {
    const other = { 'content-range': 'bytes 0-11/12' };
    const { path, fetch } = await downloading();
    const { url } = await servers.serve(breaking(30_000, path), answering(206, other), whole);
    expect(await holdsBundle(await fetch(url))).toBe(true);
  });

  it('without a length is fetched all the same', async () => {
    const { url } = await servers.serve((_request, response) => {
      response.write(BUNDLE.subarray(0, 10));
      response.end(BUNDLE.subarray(10));
    });
    const { fetch, percents } = await downloading();
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(percents).toEqual([0]);
  });

  it.each([404, 410])('of a bundle that is not there ends at once with %i', async (status) => {
    const { url, ranges } = await servers.serve(answering(status));
    const { fetch } = await downloading();
    await expect(fetch(url)).rejects.toMatchObject({
      code: 'BUNDLE_NOT_FOUND',
      message: `Cannot download the bundle: the server answered ${status}`,
    });
    expect(ranges).toHaveLength(1);
  });

  it.each([403, 500, 503])('is tried again after %i', async (status) => {
    const { url } = await servers.serve(answering(status), whole);
    expect(await holdsBundle(await (await downloading()).fetch(url))).toBe(true);
    const { url: never, ranges } = await servers.serve(answering(status));
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
    const { url, ranges } = await servers.serve(server);
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
    const { url } = await servers.serve(whole);
    await mkdir(folder);
    await writeFile(path, BUNDLE.subarray(0, 60_000));
    expect(await fetch(url).catch((error) => error)).toMatchObject(outcome);
  });

  it('is tried again when the server falls silent', async () => {
    const { fetch, pauses } = await downloading({ silenceMs: 100 });
    const { url } = await servers.serve(
      () => {},
      fallingSilent,
      (_request, response) => void response.end(BUNDLE),
    );
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(pauses).toEqual([1_000, 2_000]);
  });

  it('that was redirected goes on after a broken connection all the same', async () => {
    const { path, fetch } = await downloading();
    const { url: to, ranges } = await servers.serve(breaking(30_000, path), whole);
    const { url } = await servers.serve(answering(302, { location: to }));
    expect(await holdsBundle(await fetch(url))).toBe(true);
    expect(ranges).toEqual([undefined, 'bytes=30000-']);
  });

  it('that was redirected without a place ends', async () => {
    const { url } = await servers.serve(answering(302));
    const { fetch } = await downloading();
    await expect(fetch(url)).rejects.toMatchObject({ message: 'Cannot download the bundle: the server answered 302' });
  });
});

describe('the disk', () => {
  it('that is full ends the download at once', async () => {
    const { url, ranges } = await servers.serve(whole);
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
    const { url } = await servers.serve(whole);
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const { fetch } = await downloading({ folder: join(file, 'download') });
    await expect(fetch(url)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringContaining('ENOTDIR') });
  });

  it('is free again when the download is removed, and it does not matter whether there was one', async () => {
    const { url } = await servers.serve(whole);
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
    ['while it sends', fallingSilent],
  ])('ends %s, and closes its connection', async (_when, listener) => {
    const { url, ranges, server } = await servers.serve(listener);
    const { fetch, stop } = await downloading();
    const done = fetch(url).catch((error) => error);
    await vi.waitUntil(() => ranges.length > 0);
    stop.abort(new Error('enough'));
    expect(await done).toMatchObject({ message: 'enough' });
    await vi.waitUntil(async () => (await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 0);
    expect(ranges).toHaveLength(1);
  });

  it('does not begin', async () => {
    const { url, ranges } = await servers.serve(whole);
    const { fetch, stop } = await downloading();
    stop.abort(new Error('enough'));
    await expect(fetch(url)).rejects.toThrow('enough');
    expect(ranges).toEqual([]);
  });
});
