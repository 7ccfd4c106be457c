// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { httpProbe } from '../../../../../agent/daemon/platform/linux/http-probe.ts';

const LIVE = new AbortController().signal;

async function serve(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener) => serve(createHttpServer(listener));
const answering = (status: number) => http((_, response) => void response.writeHead(status).end('body'));
const probe = (url: string, changes: { status?: number[]; caFile?: string } = {}, signal = LIVE) =>
  httpProbe({ type: 'http', url, ...changes }, signal);

test.each([200, 204, 299])('holds for %i where no status was asked for', async (status) => {
  const port = await answering(status);
  await expect(probe(`http://127.0.0.1:${port}/healthz`)).resolves.toEqual({
    holds: true,
    detail: `http://127.0.0.1:${port}/healthz answers ${status}`,
  });
});

test('does not hold for another status, and names it and the wanted ones', async () => {
  const port = await answering(503);
  const url = `http://127.0.0.1:${port}/`;
  await expect(probe(url)).resolves.toEqual({ holds: false, detail: `${url} answers 503, not 2xx` });
  await expect(probe(url, { status: [200, 401] })).resolves.toEqual({ holds: false, detail: `${url} answers 503, not 200 or 401` });
  await expect(probe(url, { status: [503] })).resolves.toMatchObject({ holds: true });
});

test('does not follow a redirect', async () => {
  let asked = 0;
  const port = await http((_, response) => {
    asked += 1;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  await expect(probe(`http://127.0.0.1:${port}/`)).resolves.toMatchObject({ holds: false });
  await expect(probe(`http://127.0.0.1:${port}/`, { status: [302] })).resolves.toMatchObject({ holds: true });
  expect(asked).toBe(2);
});

test('does not wait for a body that has no end', async () => {
  const port = await http((_, response) => {
    response.writeHead(200);
    const flood = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
    response.on('close', () => clearInterval(flood));
  });
  await expect(probe(`http://127.0.0.1:${port}/`)).resolves.toMatchObject({ holds: true });
});

test('does not hold when the server hangs up, talks nonsense or too much', async () => {
  const port = await http(({ socket, url }) => {
    if (url === '/nonsense') socket.end('SSH-2.0-OpenSSH\r\n');
    else if (url === '/much') socket.end(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`);
    else socket.destroy();
  });
  for (const path of ['hang-up', 'nonsense', 'much']) {
    await expect(probe(`http://127.0.0.1:${port}/${path}`)).resolves.toMatchObject({
      holds: false,
      detail: expect.stringContaining('no answer from'),
    });
  }
});

test('keeps the query, which may hold a token, out of the detail', async () => {
  const port = await answering(200);
  const { detail } = await probe(`http://127.0.0.1:${port}/x?token=secret#secret`);
  expect(detail).toBe(`http://127.0.0.1:${port}/x answers 200`);
});

test('ends with the signal, before and while it waits', async () => {
  const port = await http(() => undefined);
  await expect(probe(`http://127.0.0.1:${port}/`, {}, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  const stop = new AbortController();
  const looking = probe(`http://127.0.0.1:${port}/`, {}, stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 50);
  await expect(looking).rejects.toThrow('enough');
});

describe('over TLS', () => {
  let folder: string;
  let caFile: string;
  let identity: ServerOptions;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'http-probe-'));
    caFile = join(folder, 'cert.pem');
    const subject = ['-subj', '/CN=elsewhere', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'key.pem')];
    execFileSync('openssl', ['req', '-x509', ...key, '-out', caFile, '-days', '2', ...subject], { stdio: 'ignore' });
    identity = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(caFile) };
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const https = (options: ServerOptions = {}) =>
    serve(createHttpsServer({ ...identity, ...options }, (_, response) => void response.end()));

  test('holds when the CA file vouches for the server', async () => {
    const port = await https();
    await expect(probe(`https://127.0.0.1:${port}/`, { caFile })).resolves.toMatchObject({ holds: true });
  });

  test('reaches a server that has no more than TLS 1.2, whatever the default of the process, and none that has less', async () => {
    onTestFinished(() => void Object.assign(tls, { DEFAULT_MIN_VERSION: 'TLSv1.2' }));
    Object.assign(tls, { DEFAULT_MIN_VERSION: 'TLSv1.3' });
    const old = await https({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    await expect(probe(`https://127.0.0.1:${old}/`, { caFile })).resolves.toMatchObject({ holds: true });
    const older = await https({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    await expect(probe(`https://127.0.0.1:${older}/`, { caFile })).resolves.toMatchObject({ holds: false });
  });

  test('does not hold for a server that nobody vouches for', async () => {
    const port = await https();
    await expect(probe(`https://127.0.0.1:${port}/`)).resolves.toMatchObject({
      holds: false,
      detail: expect.stringContaining('self-signed'),
    });
  });

  test('does not hold for a certificate with another name', async () => {
    const port = await https();
    await expect(probe(`https://localhost:${port}/`, { caFile })).resolves.toMatchObject({ holds: false });
  });

  test('names the CA file that it cannot read', async () => {
    await expect(probe('https://127.0.0.1:1/', { caFile: '/nowhere.pem' })).resolves.toEqual({
      holds: false,
      detail: 'no answer from https://127.0.0.1:1/: the CA file /nowhere.pem cannot be read: no such file or directory',
    });
  });
});
