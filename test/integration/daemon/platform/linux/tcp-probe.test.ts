// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { tcpProbe } from '../../../../../agent/daemon/platform/linux/tcp-probe.ts';

const LIVE = new AbortController().signal;

async function listen(host: string): Promise<{ port: number; received: Buffer[] }> {
  const received: Buffer[] = [];
  const server = createServer((socket) => socket.on('data', (data) => received.push(data)).on('error', () => undefined));
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, received };
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('holds where something listens, and sends it nothing', async () => {
  const { port, received } = await listen('127.0.0.1');
  await expect(tcpProbe({ type: 'tcp', host: '127.0.0.1', port }, LIVE)).resolves.toEqual({
    holds: true,
    detail: `127.0.0.1 accepts connections on port ${port}`,
  });
  expect(received).toEqual([]);
});

test('takes a name, whichever of its addresses is served', async () => {
  const { port } = await listen('127.0.0.1');
  await expect(tcpProbe({ type: 'tcp', host: 'localhost', port }, LIVE)).resolves.toMatchObject({ holds: true });
});

test.each(['127.0.0.1', 'localhost'])('does not hold where %s refuses, and says so', async (host) => {
  const port = await unusedPort();
  await expect(tcpProbe({ type: 'tcp', host, port }, LIVE)).resolves.toEqual({
    holds: false,
    detail: `cannot connect to ${host}, port ${port}: connection refused`,
  });
});

test('does not hold for a name that leads nowhere', async () => {
  const found = await tcpProbe({ type: 'tcp', host: 'nowhere.invalid', port: 1 }, LIVE);
  expect(found).toMatchObject({ holds: false, detail: expect.stringContaining('nowhere.invalid') });
});

test('ends with the signal, before and while it connects', async () => {
  const { port } = await listen('127.0.0.1');
  await expect(tcpProbe({ type: 'tcp', host: '127.0.0.1', port }, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  const stop = new AbortController();
  const looking = tcpProbe({ type: 'tcp', host: 'localhost', port }, stop.signal);
  stop.abort(new Error('enough'));
  await expect(looking).rejects.toThrow('enough');
});
