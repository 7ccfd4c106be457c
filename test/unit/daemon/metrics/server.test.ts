// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Gauge, Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen, metricsServer } from '../../../../agent/daemon/metrics/server.ts';
import { keepingLogger } from '../../fakes/log.ts';

async function serving(collect: () => void = () => {}) {
  const registry = new Registry();
  const gauge = new Gauge({ name: 'answer', help: 'The answer.', registers: [registry], collect });
  gauge.set(42);
  const { log, lines } = keepingLogger();
  const server = metricsServer(registry, log);
  // Port 0, which the configuration does not admit, is any free one.
  await listen(server, '127.0.0.1:0');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, lines, server };
}

/** Sends a request as it is, and reads to the end of the answer. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${request}\r\nhost: x\r\nconnection: close\r\n\r\n`);
  return text(socket);
}

describe('the server of the metrics', () => {
  it.each(['/metrics', '/metrics?name[]=answer'])('answers GET %s in the text format', async (path) => {
    const { url } = await serving();
    const response = await fetch(url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('\nanswer 42\n');
  });

  it.each(['/', '/metrics/', '/Metrics', '//', '//metrics', '/%6d', 'http://[/metrics', '*'])('has nothing at %s', async (path) => {
    const { port, lines } = await serving();
    expect(await raw(port, `GET ${path} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(lines).toEqual([]);
  });

  it.each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])('does not take %s', async (method) => {
    const { port } = await serving();
    const answer = await raw(port, `${method} /metrics HTTP/1.1`);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer.toLowerCase()).toContain('\r\nallow: get\r\n');
  });

  it('answers 500, and says so in the log, when a metric cannot be collected', async () => {
    const { url, lines } = await serving(() => {
      throw new Error('the world is gone');
    });
    expect((await fetch(`${url}/metrics`)).status).toBe(500);
    expect(lines).toMatchObject([{ msg: 'The metrics could not be collected', err: { message: 'the world is gone' } }]);
  });

  it('refuses a header that is too long', async () => {
    const { port } = await serving();
    expect(await raw(port, `GET /metrics HTTP/1.1\r\nx: ${'x'.repeat(10_000)}`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it.each(['[::1]:0', 'localhost:0'])('listens on %s', async (address) => {
    const server = metricsServer(new Registry(), keepingLogger().log);
    await listen(server, address);
    server.close();
    await once(server, 'close');
  });

  it('says where it cannot listen', async () => {
    const { port } = await serving();
    const second = metricsServer(new Registry(), keepingLogger().log);
    await expect(listen(second, `127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^Cannot serve metrics on 127\.0\.0\.1:\d+: .*EADDRINUSE/),
    });
  });
});
