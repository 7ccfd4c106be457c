// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { get } from '../../../../../agent/daemon/platform/https/get.ts';
import { CertificateAuthority } from '../../../../../qemu/pki/certificate-authority.ts';
import { answering, BUNDLE, fallingSilent, ScriptedServers, whole } from '../../../fakes/scripted-bundle-server.ts';

let servers: ScriptedServers;
beforeAll(async () => {
  servers = await ScriptedServers.create();
});

const LIVE = new AbortController().signal;
const getting = (url: string, { range = '', ca = servers.ca, silenceMs = 5_000 } = {}) =>
  get(url, { headers: range ? { range } : {}, ca, silenceMs }, LIVE);

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with %i to https is followed, with the range', async (status) => {
    const { url: to, ranges } = await servers.serve(whole);
    const { url } = await servers.serve(answering(status, { location: to }));
    const response = await getting(url, { range: 'bytes=99990-' });
    expect(response.statusCode).toBe(206);
    expect(await buffer(response)).toEqual(BUNDLE.subarray(99_990));
    expect(ranges).toEqual(['bytes=99990-']);
  });

  it('may be relative', async () => {
    const { url } = await servers.serve((request, response) => {
      if (request.url === '/v2.raucb') response.writeHead(302, { location: 'files/2' }).end();
      else response.end(request.url);
    });
    expect((await buffer(await getting(url))).toString()).toBe('/files/2');
  });

  it('to http is refused, and nothing is asked there', async () => {
    let asked = 0;
    const plain = createPlainServer(() => void asked++).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    onTestFinished(() => void plain.close());
    const location = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/v2.raucb`;
    const { url } = await servers.serve(answering(302, { location }));
    const message = 'Cannot download the bundle: the server redirects to http:';
    await expect(getting(url)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message });
    expect(asked).toBe(0);
  });

  it('in a circle ends', async () => {
    const { url, ranges } = await servers.serve(answering(302, { location: '/v2.raucb' }));
    const message = 'Cannot download the bundle: the server redirects more than 5 times';
    await expect(getting(url)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message });
    expect(ranges).toHaveLength(6);
  });

  it('to nowhere ends', async () => {
    const { url } = await servers.serve(answering(302, { location: 'https://' }));
    await expect(getting(url)).rejects.toThrow('Invalid URL');
  });
});

describe('a server', () => {
  it('that says nothing is left', async () => {
    const { url } = await servers.serve(() => {});
    await expect(getting(url, { silenceMs: 50 })).rejects.toThrow('the server was silent for 0.05 s');
  });

  it('that falls silent in the middle is left', async () => {
    const { url } = await servers.serve(fallingSilent);
    await expect(buffer(await getting(url, { silenceMs: 50 }))).rejects.toThrow('the server was silent for 0.05 s');
  });

  it('that nobody vouches for is not trusted', async () => {
    const { url, ranges } = await servers.serve(whole);
    const stranger = await CertificateAuthority.create('stranger');
    await expect(getting(url, { ca: Buffer.from(stranger.certificate) })).rejects.toThrow(/certificate/);
    expect(ranges).toEqual([]);
  });

  it('with another name is not trusted', async () => {
    const { url, ranges } = await servers.serve(whole);
    await expect(getting(url.replace('127.0.0.1', 'localhost'))).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(ranges).toEqual([]);
  });

  it('that is not there is told by its address', async () => {
    await expect(getting('https://127.0.0.1:1/')).rejects.toThrow('127.0.0.1:1');
  });
});
