// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RequestOptions, request } from '../../../../../agent/daemon/platform/https/request.ts';
import { CertificateAuthority } from '../../../../../qemu/pki/certificate-authority.ts';
import { answering, BUNDLE, fallingSilent, ranged, ScriptedServers } from '../../../fakes/scripted-bundle-server.ts';

let servers: ScriptedServers;
beforeAll(async () => {
  servers = await ScriptedServers.create();
});

const LIVE = new AbortController().signal;
const asking = (url: URL, options: RequestOptions = {}, signal = LIVE) =>
  request(url, { ca: servers.ca, silenceMs: 5_000, ...options }, signal);
const secrets = (): RequestOptions => ({
  headers: { authorization: 'Bearer secret' },
  certificate: servers.client.certificate,
  key: servers.client.key,
});

describe('a request', () => {
  it('says who asks, for which part, and of which content', async () => {
    const { url, seen } = await servers.serve(ranged());
    const response = await asking(url, { ...secrets(), range: 'bytes=10-19', ifRange: '"v2"' });
    expect(await buffer(response)).toEqual(BUNDLE.subarray(10, 20));
    expect(seen).toEqual([{ range: 'bytes=10-19', ifRange: '"v2"', authorization: 'Bearer secret', client: 'attic' }]);
  });

  it.each([
    [404, 'BUNDLE_NOT_FOUND'],
    [410, 'BUNDLE_NOT_FOUND'],
    [401, 'DOWNLOAD_REFUSED'],
    [403, 'DOWNLOAD_REFUSED'],
    [416, 'DOWNLOAD_REFUSED'],
    [304, 'DOWNLOAD_REFUSED'],
    [302, 'DOWNLOAD_REFUSED'],
    [408, 'DOWNLOAD_FAILED'],
    [429, 'DOWNLOAD_FAILED'],
    [500, 'DOWNLOAD_FAILED'],
    [503, 'DOWNLOAD_FAILED'],
  ])('that is answered with %i and no place to go fails with %s', async (status, code) => {
    const { url, seen } = await servers.serve(answering(status));
    const message = `Cannot fetch the bundle: the server answered ${status}`;
    await expect(asking(url)).rejects.toMatchObject({ code, message });
    expect(seen).toHaveLength(1);
  });

  it('that nobody wants any longer ends, and closes its connection', async () => {
    const { url, seen, server } = await servers.serve(() => {});
    const stop = new AbortController();
    const done = asking(url, {}, stop.signal).catch((error) => error);
    await vi.waitUntil(() => seen.length > 0);
    stop.abort(new Error('enough'));
    expect(await done).toMatchObject({ message: 'enough' });
    await vi.waitUntil(async () => (await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))) === 0);
  });
});

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with %i is followed, with the range', async (status) => {
    const { url: to, seen } = await servers.serve(ranged());
    const { url } = await servers.serve(answering(status, { location: to.href }));
    const response = await asking(url, { range: 'bytes=99990-99999', ifRange: '"v2"' });
    expect(await buffer(response)).toEqual(BUNDLE.subarray(99_990));
    expect(seen).toMatchObject([{ range: 'bytes=99990-99999', ifRange: '"v2"' }]);
  });

  it('to another origin takes no header and no certificate along', async () => {
    const { url: to, seen } = await servers.serve(ranged());
    const { url, seen: seenFirst } = await servers.serve(answering(302, { location: to.href }));
    await buffer(await asking(url, { ...secrets(), range: 'bytes=0-9' }));
    expect(seenFirst).toMatchObject([{ authorization: 'Bearer secret', client: 'attic' }]);
    expect(seen).toEqual([{ range: 'bytes=0-9', ifRange: undefined, authorization: undefined, client: undefined }]);
  });

  it('within the origin takes them along, and may be relative', async () => {
    const paths: string[] = [];
    const { url, seen } = await servers.serve((request, response) => {
      paths.push(request.url ?? '');
      if (request.url === '/v2.raucb') answering(302, { location: 'files/2' })(request, response);
      else ranged()(request, response);
    });
    await buffer(await asking(url, secrets()));
    expect(paths).toEqual(['/v2.raucb', '/files/2']);
    expect(seen).toMatchObject(Array(2).fill({ authorization: 'Bearer secret', client: 'attic' }));
  });

  it('to http is refused, and nothing is asked there', async () => {
    let asked = 0;
    const plain = createPlainServer(() => void asked++).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    onTestFinished(() => void plain.close());
    const location = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/v2.raucb`;
    const { url } = await servers.serve(answering(302, { location }));
    const message = 'Cannot fetch the bundle: the server redirects to http:';
    await expect(asking(url)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', message });
    expect(asked).toBe(0);
  });

  it('in a circle ends', async () => {
    const { url, seen } = await servers.serve(answering(302, { location: '/v2.raucb' }));
    const message = 'Cannot fetch the bundle: the server redirects more than 5 times';
    await expect(asking(url)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', message });
    expect(seen).toHaveLength(6);
  });

  it('to nowhere ends', async () => {
    const { url } = await servers.serve(answering(302, { location: 'https://' }));
    const message = 'Cannot fetch the bundle: the server redirects to what is no URL';
    await expect(asking(url)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED', message });
  });
});

describe('a server', () => {
  it('that says nothing is left', async () => {
    const { url } = await servers.serve(() => {});
    const message = 'Cannot fetch the bundle: the server was silent for 0.2 s';
    await expect(asking(url, { silenceMs: 200 })).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message });
  });

  it('that falls silent in the middle is left', async () => {
    const { url } = await servers.serve(fallingSilent);
    await expect(buffer(await asking(url, { silenceMs: 200 }))).rejects.toThrow('the server was silent for 0.2 s');
  });

  it('that nobody vouches for is not trusted', async () => {
    const { url, seen } = await servers.serve(ranged());
    const stranger = await CertificateAuthority.create('stranger');
    await expect(asking(url, { ...secrets(), ca: stranger.certificate })).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    expect(seen).toEqual([]);
  });

  it('with another name is not trusted', async () => {
    const { url, seen } = await servers.serve(ranged());
    const elsewhere = new URL(url.href.replace('127.0.0.1', 'localhost'));
    await expect(asking(elsewhere)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    expect(seen).toEqual([]);
  });

  it('that is not there may come back', async () => {
    const message = expect.stringContaining('127.0.0.1:1');
    await expect(asking(new URL('https://127.0.0.1:1/'))).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message });
  });
});
