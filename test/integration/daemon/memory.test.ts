// SPDX-License-Identifier: Apache-2.0
import http2 from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import tls from 'node:tls';
import { Metadata } from '@grpc/grpc-js';
import { Variant } from 'dbus-next';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lamadist } from '../../../agent/shared/gen/messages.js';
import { ask, connect } from '../fakes/agent-client.ts';
import { type Daemon, startDaemon } from '../fakes/real-daemon.ts';

/** Well below MemoryHigh= of the unit, which is where the kernel begins to slow the agent down. */
const MEMORY_BOUND_BYTES = 160 << 20;

let daemon: Daemon;
const open: { destroy(): void }[] = [];
beforeEach(async () => {
  daemon = await startDaemon();
});
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  await daemon.stop();
});

const endpoint = () => {
  const [host = '', port = ''] = daemon.address.split(':');
  return { host, port: Number(port) };
};

function keep<T extends Socket>(socket: T): T {
  socket.on('error', () => {});
  open.push(socket);
  return socket;
}

async function tlsOf(role: 'admin' | 'reader') {
  const { certificate: cert, key } = await daemon.pki.client(role);
  const options = { ...endpoint(), ca: daemon.pki.agentAuthority.certificate, servername: 'attic', ALPNProtocols: ['h2'], cert, key };
  return () => keep(tls.connect(options));
}

function session(socket: tls.TLSSocket, settings: http2.Settings = {}) {
  const opened = http2.connect('https://attic', { createConnection: () => socket, settings });
  opened.on('error', () => {});
  return opened;
}

/** From a connection of its own, as a monitor would ask. */
async function answersHealthCheck(): Promise<void> {
  const monitor = await connect(daemon, 'monitor');
  expect(await ask(monitor.health, 'check', { service: '' })).toMatchObject({ status: 1 });
  monitor.close();
}

describe('the memory of the daemon', { timeout: 120_000 }, () => {
  it('is bounded under 2,000 connections of which most do nothing, and it answers', async () => {
    const shakers = await Promise.all([tlsOf('admin'), tlsOf('reader'), tlsOf('reader')]);
    for (let count = 0; count < 2_000; count += 1) {
      const shake = shakers[count % shakers.length] as () => tls.TLSSocket;
      if (count % 4 === 0) keep(connectTcp(endpoint()));
      else if (count % 4 === 1) shake();
      else session(shake());
      if (count % 100 === 99) await answersHealthCheck();
    }
    await answersHealthCheck();
    expect(daemon.memory().peakBytes).toBeLessThan(MEMORY_BOUND_BYTES);
    expect(daemon.running()).toBe(true);
  });

  it('is bounded under 200 watchers of which half never read, and the others are told everything', async () => {
    const admin = await connect(daemon, 'admin');
    // A file that is there: RAUC, which would look into it, is played here.
    const { operationId } = await ask(admin.updates, 'installBundle', { source: { path: import.meta.filename } });
    await vi.waitUntil(() => daemon.rauc.installs.length === 1, { timeout: 10_000 });
    const request = Buffer.from(lamadist.agent.v1.WatchUpdateRequest.encode({ operationId }).finish());
    const shake = await tlsOf('reader');
    for (let count = 0; count < 100; count += 1) {
      const deaf = session(shake(), { initialWindowSize: 0 });
      const headers = {
        ':method': 'POST',
        ':path': '/lamadist.agent.v1.UpdateService/WatchUpdate',
        'content-type': 'application/grpc',
        te: 'trailers',
      };
      const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), request]);
      deaf
        .request(headers)
        .on('error', () => {})
        .end(frame);
    }
    const seen: number[] = [];
    const readers = await Promise.all(Array.from({ length: 100 }, () => connect(daemon, 'reader')));
    readers.forEach((reader, index) => {
      const call = reader.updates.watchUpdate({ operationId }, new Metadata(), {});
      call.on('error', () => {});
      call.on('data', ({ progress }) => {
        seen[index] = progress?.progress?.percent ?? 0;
      });
    });
    await vi.waitUntil(() => Object.keys(seen).length === 100, { timeout: 20_000 });
    for (let round = 0; round < 20; round += 1) {
      for (let percent = 1; percent <= 99; percent += 1)
        daemon.rauc.change({ Progress: new Variant('(isi)', [percent, 'Copying image', 2]) });
      await answersHealthCheck();
    }
    await answersHealthCheck();
    await vi.waitUntil(() => seen.every((percent) => percent === 99), { timeout: 20_000 });
    expect(daemon.memory().peakBytes).toBeLessThan(MEMORY_BOUND_BYTES);
    for (const each of [...readers, admin]) each.close();
  });
});
