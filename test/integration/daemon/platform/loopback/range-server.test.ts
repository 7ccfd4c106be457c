// SPDX-License-Identifier: Apache-2.0
import http, { type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LoopbackRangeServer } from '../../../../../agent/daemon/platform/loopback/range-server.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { keepingLogger } from '../../../../unit/fakes/log.ts';

const BUNDLE = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));

async function* content(offset: number, length: number): AsyncIterable<Buffer> {
  for (let at = offset; at < offset + length; at += 100) yield BUNDLE.subarray(at, Math.min(at + 100, offset + length));
}

async function serving(read = content) {
  const { log, lines } = keepingLogger();
  const server = new LoopbackRangeServer(log);
  onTestFinished(() => server.close());
  const url = await server.serve(BUNDLE.length, read);
  return { server, url, lines };
}

/** Asks on a connection of its own; resolves with the response, whose body is still to be read. */
function ask(url: string, { range = '', method = 'GET' } = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method, agent: false as const, headers: range ? { range } : {}, timeout: 10_000 };
    http.request(url, options, resolve).on('error', reject).end();
  });
}

describe('a bundle that is shown to RAUC', () => {
  it('is at a loopback address, under a path that is another each time', async () => {
    const { server, url } = await serving();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{64}\/bundle\.raucb$/);
    const again = await server.serve(BUNDLE.length, content);
    expect(new URL(again).pathname).not.toBe(new URL(url).pathname);
    await expect(ask(url)).rejects.toThrow();
  });

  it.each([
    ['', 200, 0, 999],
    ['bytes=0-0', 206, 0, 0],
    ['bytes=100-299', 206, 100, 299],
    ['bytes=990-', 206, 990, 999],
    ['bytes=990-5000', 206, 990, 999],
    ['bytes=-10', 206, 990, 999],
    ['bytes=-5000', 206, 0, 999],
    // What is not understood means the whole (RFC 9110, section 14.2).
    ['bytes=0-1,5-6', 200, 0, 999],
    ['octets=0-1', 200, 0, 999],
    ['bytes=-', 200, 0, 999],
  ])('answers to the range "%s" with %i', async (range, status, start, end) => {
    const response = await ask((await serving()).url, { range });
    expect(response.statusCode).toBe(status);
    expect(response.headers).toMatchObject({ 'accept-ranges': 'bytes', 'content-length': `${end - start + 1}` });
    expect(response.headers['content-range']).toBe(status === 206 ? `bytes ${start}-${end}/1000` : undefined);
    expect(await buffer(response)).toEqual(BUNDLE.subarray(start, end + 1));
  });

  it.each(['bytes=1000-', 'bytes=1000-1001', 'bytes=-0', 'bytes=5-4', 'bytes=99999999999999999999-'])(
    'has nothing in the range "%s"',
    async (range) => {
      const response = await ask((await serving()).url, { range });
      expect([response.statusCode, response.headers['content-range']]).toEqual([416, 'bytes */1000']);
      await buffer(response);
    },
  );

  it('tells its size without being read', async () => {
    let reads = 0;
    const { url } = await serving((...stretch) => {
      reads += 1;
      return content(...stretch);
    });
    const response = await ask(url, { method: 'HEAD', range: 'bytes=0-0' });
    expect([response.statusCode, response.headers['content-length']]).toEqual([200, '1000']);
    expect((await buffer(response)).length).toBe(0);
    expect(reads).toBe(0);
  });

  it.each(['/', '/bundle.raucb', `/${'0'.repeat(64)}/bundle.raucb`])('is not at %s', async (path) => {
    const response = await ask(new URL(path, (await serving()).url).href);
    expect(response.statusCode).toBe(404);
    await buffer(response);
  });

  it.each(['POST', 'PUT', 'DELETE'])('is not there for a %s', async (method) => {
    const response = await ask((await serving()).url, { method });
    expect(response.statusCode).toBe(404);
    await buffer(response);
  });

  it('can be read in two places at the same time', async () => {
    const { url } = await serving();
    const [one, two] = await Promise.all([ask(url, { range: 'bytes=0-499' }), ask(url, { range: 'bytes=500-999' })]);
    expect(Buffer.concat([await buffer(one), await buffer(two)])).toEqual(BUNDLE);
  });

  it('breaks off, and says why in the log, when it cannot be read', async () => {
    const gone = new Failure('CLIENT_GONE', 'Cannot fetch the bundle: nobody has it');
    const { url, lines } = await serving(async function* (offset) {
      yield BUNDLE.subarray(offset, offset + 5);
      throw gone;
    });
    await expect(buffer(await ask(url))).rejects.toThrow();
    const msg = 'A part of the bundle could not be given to RAUC';
    await vi.waitFor(() =>
      expect(lines).toContainEqual(expect.objectContaining({ msg, err: expect.objectContaining({ code: 'CLIENT_GONE' }) })),
    );
  });

  it('is let go of when RAUC has read enough', async () => {
    let reading = false;
    const { url } = await serving(async function* () {
      reading = true;
      try {
        for (;;) yield Buffer.alloc(1 << 16);
      } finally {
        reading = false;
      }
    });
    const response = await ask(url);
    await vi.waitUntil(() => reading);
    response.destroy();
    await vi.waitUntil(() => !reading);
  });

  it('is gone at the end, in the middle of a read too, and it does not matter whether there was one', async () => {
    const { server, url } = await serving(async function* () {
      yield BUNDLE.subarray(0, 5);
      await new Promise(() => {});
    });
    const body = buffer(await ask(url));
    await server.close();
    await expect(body).rejects.toThrow();
    await expect(ask(url)).rejects.toThrow('ECONNREFUSED');
    await server.close();
  });
});
