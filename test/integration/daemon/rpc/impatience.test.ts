// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import http2 from 'node:http2';
import { connect as connectTcp } from 'node:net';
import tls from 'node:tls';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../../agent/daemon/rpc/connections.ts';
import { ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

const SHORT = { count: 1_000, durationMs: 400 };

let server: AgentServer;
beforeEach(async () => {
  server = await startAgentServer(undefined, { requests: SHORT, answers: SHORT });
});
afterEach(() => server.stop());

/** An HTTP/2 connection below gRPC, on which anything can be left undone. */
async function session(settings: http2.Settings = {}) {
  const [host = '', port = ''] = server.address.split(':');
  const { certificate: cert, key } = await server.pki.client('admin');
  const ca = server.pki.agentAuthority.certificate;
  const socket = tls.connect({ host, port: Number(port), ca, servername: 'attic', ALPNProtocols: ['h2'], cert, key });
  const opened = http2.connect('https://attic', { createConnection: () => socket, settings });
  opened.on('error', () => {});
  await once(opened, 'connect');
  return opened;
}

const post = (opened: http2.ClientHttp2Session, path: string) =>
  opened
    .request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' })
    .on('error', () => {})
    .on('close', () => {});

const EMPTY_MESSAGE = Buffer.alloc(5);
const said = (message: string): boolean => server.lines.some(({ msg }) => msg === message);

describe('who keeps the agent waiting', () => {
  it('is hung up on when the request of a call does not come', async () => {
    const silent = await session();
    post(silent, '/grpc.health.v1.Health/Check').write(Buffer.from([0, 0, 0]));
    await once(silent, 'close', { signal: AbortSignal.timeout(10_000) });
    expect(said('A client began a call and sent no request')).toBe(true);
  });

  it('is hung up on when it does not read the answer to a call', async () => {
    const deaf = await session({ initialWindowSize: 0 });
    post(deaf, '/grpc.health.v1.Health/Check').end(EMPTY_MESSAGE);
    await once(deaf, 'close', { signal: AbortSignal.timeout(10_000) });
    expect(said('A client does not read the answers to its call')).toBe(true);
  });

  it('is not who waits for news and reads what comes', async () => {
    const reader = await connect(server, 'monitor');
    const call = reader.health.watch({ service: '' }, new Metadata(), soon());
    call.on('error', () => {});
    await once(call, 'data');
    await new Promise((resolve) => setTimeout(resolve, 3 * SHORT.durationMs));
    expect(server.lines.map(({ msg }) => msg)).not.toContain('A client does not read the answers to its call');
    expect(await ask(reader.health, 'check', { service: '' })).toMatchObject({ status: 1 });
    reader.close();
  });
});

describe('calls without end', () => {
  it('are refused beyond their limit, and counted down when they end', async () => {
    const sessions = await Promise.all(Array.from({ length: 7 }, () => session()));
    // Connections of one certificate each: a limit of all calls is reached.
    const calls = sessions.flatMap((each) => Array.from({ length: 64 }, () => post(each, '/grpc.health.v1.Health/Watch')));
    expect(calls.length).toBeLessThan(LIMITS.calls);
    for (const call of calls) call.end(EMPTY_MESSAGE).resume();
    const late = [await session(), await session()];
    const statuses: unknown[] = [];
    for (const call of late.flatMap((each) => Array.from({ length: 40 }, () => post(each, '/grpc.health.v1.Health/Watch')))) {
      call.on('response', (headers) => statuses.push(headers['grpc-status'])).resume();
      call.end(EMPTY_MESSAGE);
    }
    await vi.waitUntil(() => statuses.length === 80, { timeout: 10_000 });
    expect(statuses.filter((status) => status === '8')).toHaveLength(448 + 80 - LIMITS.calls);
    for (const each of [...sessions, ...late]) each.destroy();
    const reader = await connect(server, 'reader');
    await vi.waitFor(async () => expect(await ask(reader.health, 'check', { service: '' })).toMatchObject({ status: 1 }), 10_000);
    reader.close();
  });
});

describe('connections without end', () => {
  it('that never shake hands keep nobody out', async () => {
    const [host = '', port = ''] = server.address.split(':');
    const sockets = Array.from({ length: 500 }, () => connectTcp({ host, port: Number(port) }).on('error', () => {}));
    const ended = Promise.all(sockets.slice(0, 300).map((socket) => once(socket, 'close')));
    await ended;
    const reader = await connect(server, 'reader');
    expect(await ask(reader.health, 'check', { service: '' })).toMatchObject({ status: 1 });
    reader.close();
    for (const socket of sockets) socket.destroy();
  });

  it('of one certificate are closed for newer ones', async () => {
    const [host = '', port = ''] = server.address.split(':');
    const { certificate: cert, key } = await server.pki.client('admin');
    const ca = server.pki.agentAuthority.certificate;
    const options = { host, port: Number(port), ca, servername: 'attic', ALPNProtocols: ['h2'], cert, key };
    const sockets: tls.TLSSocket[] = [];
    for (let count = 0; count < LIMITS.connectionsOfOwner + 10; count += 1) {
      const socket = tls.connect(options).on('error', () => {});
      await once(socket.resume(), 'secureConnect');
      sockets.push(socket);
    }
    await vi.waitUntil(() => sockets.slice(0, 10).every(({ closed }) => closed), { timeout: 10_000 });
    expect(server.connections.count).toBe(LIMITS.connectionsOfOwner);
    for (const socket of sockets) socket.destroy();
    await vi.waitUntil(() => server.connections.count === 0, { timeout: 10_000 });
  });
});
