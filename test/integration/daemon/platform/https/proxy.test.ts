// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RequestOptions, request } from '../../../../../agent/daemon/platform/https/request.ts';
import { until } from '../../../../../qemu/host/deadline.ts';
import { BUNDLE, ranged, ScriptedServers } from '../../../fakes/scripted-bundle-server.ts';

let servers: ScriptedServers;
beforeAll(async () => {
  servers = await ScriptedServers.create();
});

const LIVE = new AbortController().signal;
const asking = (url: URL, options: RequestOptions) => request(url, { ca: servers.ca, silenceMs: 2_000, ...options }, LIVE);

/** An HTTP proxy on loopback that opens tunnels, or answers in its own way. */
async function proxy(answer?: (socket: Duplex) => void) {
  const asked: { target: string; authorization: string | undefined }[] = [];
  const server = createServer();
  const sockets = new Set<Duplex>();
  server.on('connect', ({ url = '', headers }, socket: Duplex) => {
    sockets.add(socket);
    socket.on('end', () => sockets.delete(socket));
    socket.on('close', () => sockets.delete(socket));
    asked.push({ target: url, authorization: headers['proxy-authorization'] });
    if (answer) return answer(socket);
    const { hostname, port } = new URL(`https://${url}`);
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { asked, sockets, url: `http://user:pass@127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a server behind a proxy', () => {
  it('is asked through a tunnel, in which only its own certificate counts', async () => {
    const { url } = await servers.serve(ranged());
    const { asked, url: through } = await proxy();
    const response = await asking(url, { range: 'bytes=0-9', proxy: { url: through, except: [] } });
    expect(await buffer(response)).toEqual(BUNDLE.subarray(0, 10));
    expect(asked).toEqual([{ target: url.host, authorization: `Basic ${Buffer.from('user:pass').toString('base64')}` }]);
    const strangers = { proxy: { url: through, except: [] }, ca: '' };
    await expect(asking(url, strangers)).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' });
  });

  it('is asked without it where it is an exception', async () => {
    const { url } = await servers.serve(ranged());
    const { asked, url: through } = await proxy();
    for (const name of [url.hostname, `.${url.hostname}`]) {
      expect(await asking(url, { range: 'bytes=0-0', proxy: { url: through, except: [name] } })).toMatchObject({ statusCode: 206 });
    }
    expect(asked).toEqual([]);
  });

  it('is not reached when the proxy refuses, is silent, or is not there', async () => {
    const { url } = await servers.serve(ranged());
    const refusing = await proxy((socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    const posing = await proxy((socket) => socket.end('HTTP/1.1 206 Partial Content\r\ncontent-length: 1\r\n\r\nx'));
    const silent = await proxy((socket) => void socket.resume());
    for (const through of [refusing.url, posing.url, silent.url, 'http://127.0.0.1:1']) {
      const failure = await asking(url, { proxy: { url: through, except: [] } }).catch((error) => error);
      expect(failure).toMatchObject({ code: 'DOWNLOAD_FAILED' });
      expect(failure.message).not.toContain('pass');
    }
    await until('the silent proxy to see that nobody waits any longer', 5_000, async () => silent.sockets.size === 0 || undefined);
  });
});
