// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { BundleDelivery } from '../../../../../agent/daemon/delivery/bundle-delivery.ts';
import { ClientOffers } from '../../../../../agent/daemon/delivery/client-offers.ts';
import { Spool } from '../../../../../agent/daemon/delivery/spool.ts';
import { openHttpsBundle } from '../../../../../agent/daemon/platform/https/https-bundle.ts';
import type { HttpsIdentity } from '../../../../../agent/daemon/platform/https/request.ts';
import { systemClock } from '../../../../../agent/daemon/timing/clock.ts';
import { CertificateAuthority } from '../../../../../qemu/pki/certificate-authority.ts';
import { OPERATION } from '../../../../unit/daemon/update/node.ts';
import { collect } from '../../../../unit/fakes/bundle.ts';
import { temporaryFolder } from '../../../../unit/fakes/folder.ts';
import { answering, BUNDLE, breaking, ETAG, fallingSilent, ranged, ScriptedServers, whole } from '../../../fakes/scripted-bundle-server.ts';

let servers: ScriptedServers;
beforeAll(async () => {
  servers = await ScriptedServers.create();
});

const LIVE = new AbortController().signal;
const opening = (url: URL, identity: HttpsIdentity = {}, signal = LIVE) =>
  openHttpsBundle(url, { ca: servers.ca, silenceMs: 5_000, ...identity }, signal);

const DATE = 'Wed, 21 Oct 2026 07:28:00 GMT';
const part = (range: string, headers: Record<string, string> = { etag: ETAG }) => answering(206, { 'content-range': range, ...headers });

describe('a bundle behind a URL', () => {
  it('is looked at with one byte, and read from anywhere', async () => {
    const { url, seen } = await servers.serve(ranged());
    const reader = await opening(url);
    expect(reader).toMatchObject({ sizeBytes: BUNDLE.length, validator: ETAG });
    expect(await collect(reader.read(90_000, 10_000, LIVE))).toEqual(BUNDLE.subarray(90_000));
    expect(await collect(reader.read(0, 5, LIVE))).toEqual(BUNDLE.subarray(0, 5));
    expect(seen.map(({ range, ifRange }) => [range, ifRange])).toEqual([
      ['bytes=0-0', undefined],
      ['bytes=90000-99999', ETAG],
      ['bytes=0-4', ETAG],
    ]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a strong ETag', { etag: ETAG, 'last-modified': DATE }, ETAG],
    ['its date where the ETag is weak', { etag: 'W/"v2"', 'last-modified': DATE }, DATE],
    ['its date where there is no ETag', { 'last-modified': DATE }, DATE],
    ['nothing where the ETag is weak', { etag: 'W/"v2"' }, ''],
    ['nothing where there is nothing', {}, ''],
  ])('is known by %s', async (_what, headers, validator) => {
    const { url } = await servers.serve(ranged(headers));
    const reader = await opening(url);
    expect(reader.validator).toBe(validator);
    expect(await collect(reader.read(7, 3, LIVE))).toEqual(BUNDLE.subarray(7, 10));
  });

  it.each<[string, RequestListener]>([
    ['answers with the whole of it', (_request, response) => void response.writeHead(200, { etag: '"v3"' }).end('another')],
    ['has another ETag, and does not heed If-Range', ranged({ etag: '"v3"' })],
    ['has another size, and the same ETag', part('bytes 10-19/100001')],
  ])('is another one by now when the server %s', async (_what, later) => {
    const { url } = await servers.serve(ranged(), later);
    const reader = await opening(url);
    await expect(collect(reader.read(10, 10, LIVE))).rejects.toMatchObject({ code: 'BUNDLE_CHANGED' });
  });

  it.each<[string, RequestListener]>([
    ['another part', part('bytes 0-9/100000')],
    ['a part that begins with the same digits', part('bytes 100-109/100000')],
  ])('is refused when the server answers with %s than the one that was asked for', async (_what, later) => {
    const { url } = await servers.serve(ranged(), later);
    const reader = await opening(url);
    await expect(collect(reader.read(10, 10, LIVE))).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
  });

  it.each<[string, RequestListener]>([
    ['of a part', part('bytes 0-0/*')],
    ['of the whole', (_request, response) => void response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('a')],
  ])('is refused when the server does not tell the size %s', async (_what, listener) => {
    const { url } = await servers.serve(listener);
    const message = 'Cannot fetch the bundle: the server does not tell how large it is';
    await expect(opening(url)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', message });
  });

  it('on a server that knows no ranges is read whole, or not at all', async () => {
    const { url, seen } = await servers.serve(whole);
    const reader = await opening(url);
    expect(reader).toMatchObject({ sizeBytes: BUNDLE.length, validator: '' });
    expect((await collect(reader.read(0, BUNDLE.length, LIVE))).equals(BUNDLE)).toBe(true);
    const message = 'Cannot fetch the bundle: the server gives it whole only, and no part of it';
    for (const [offset, length] of [
      [0, 10],
      [10, BUNDLE.length - 10],
    ] as const) {
      await expect(collect(reader.read(offset, length, LIVE))).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', message });
    }
    expect(seen.map(({ range }) => range)).toEqual(['bytes=0-0', undefined]);
  });

  it.each<[string, RequestListener]>([
    ['breaks off', breaking(20_000)],
    ['falls silent', fallingSilent],
  ])('may be asked for again when the server %s', async (_what, listener) => {
    const { url } = await servers.serve(ranged(), listener);
    const reader = await opening(url, { silenceMs: 200 });
    await expect(collect(reader.read(0, BUNDLE.length, LIVE))).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
  });

  it('lets go of the connection when its reader has seen enough', async () => {
    const { url, server } = await servers.serve(ranged(), fallingSilent);
    const reader = await opening(url);
    for await (const _piece of reader.read(0, 10, LIVE)) break;
    await vi.waitUntil(async () => (await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 0);
  });

  it('is no longer read when nobody wants it', async () => {
    const { url, seen } = await servers.serve(ranged(), fallingSilent);
    const stop = new AbortController();
    const reader = await opening(url);
    const done = collect(reader.read(0, 10, stop.signal)).catch((error) => error);
    await vi.waitUntil(() => seen.length === 2);
    stop.abort(new Error('enough'));
    expect(await done).toBeInstanceOf(Error);
  });
});

describe('the delivery of a bundle behind a URL', () => {
  /** A delivery to which no pause is long. */
  async function delivering(identity: HttpsIdentity = {}) {
    const folder = join(await temporaryFolder(), 'download');
    const pauses: number[] = [];
    const clock = { ...systemClock, sleep: async (durationMs: number) => void pauses.push(durationMs) };
    const delivery = new BundleDelivery({
      openUrl: (url) => (signal) => opening(new URL(url), identity, signal),
      offers: new ClientOffers(clock),
      access: { clear: async () => {}, forget: async () => {} },
      spool: new Spool({ folder, maximumBytes: 1_000_000, reserveBytes: 0 }),
      clock,
      random: () => 1,
      readFromPeer: async function* () {},
      onPeerLeft: () => {},
      onPeersGave: () => {},
      onPause: () => {},
      onFetched: () => {},
    });
    const deliver = ({ href }: URL) => delivery.deliver({ ...OPERATION, source: { type: 'url', url: href } }, LIVE);
    return { delivery, deliver, pauses };
  }

  const holdsBundle = async (path: string) => {
    return (await readFile(path)).equals(BUNDLE);
  };

  it('goes on where the connection broke, through a redirect too', async () => {
    const { url: to, seen } = await servers.serve(ranged(), breaking(30_000), ranged());
    const { url } = await servers.serve(answering(302, { location: to.href }));
    const { deliver, pauses } = await delivering();
    expect(await holdsBundle(await deliver(url))).toBe(true);
    const ranges = seen.map(({ range }) => range);
    expect(ranges.slice(0, 3)).toEqual(['bytes=0-0', 'bytes=0-99999', 'bytes=0-0']);
    // Not all that was sent need have arrived.
    expect(ranges[3]).toMatch(/^bytes=[1-9]\d*-99999$/);
    expect(pauses).toEqual([2_000]);
  });

  it('waits for a server that is busy', async () => {
    const { url } = await servers.serve(answering(503), answering(503), ranged());
    const { deliver, pauses } = await delivering();
    expect(await holdsBundle(await deliver(url))).toBe(true);
    expect(pauses).toEqual([2_000, 4_000]);
  });

  it('begins anew on a server that knows no ranges, when it is asked for again', async () => {
    const half: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-length': BUNDLE.length, etag: ETAG });
      response.write(BUNDLE.subarray(0, 30_000), () => response.socket?.destroySoon());
    };
    const { url } = await servers.serve(whole, half, whole);
    const { deliver } = await delivering();
    await expect(deliver(url)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    expect(await holdsBundle(await deliver(url))).toBe(true);
  });

  it('does not ask a server again that nobody vouches for', async () => {
    const { url, seen } = await servers.serve(ranged());
    const { deliver, pauses } = await delivering({ ca: (await CertificateAuthority.create('stranger')).certificate });
    await expect(deliver(url)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    expect([seen, pauses]).toEqual([[], []]);
  });
});
