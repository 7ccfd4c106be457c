// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Operation, Phase } from '../../../../agent/daemon/update/life/state.ts';
import { lamadist } from '../../../../agent/shared/gen/messages.js';
import { failureIn } from '../../../../agent/shared/status.ts';
import { collect } from '../../../unit/fakes/bundle.ts';
import { type AgentClient, ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

const BUNDLE = Buffer.from(Array.from({ length: 10_000_000 }, (_, index) => index % 251));
const CLIENT = { name: 'v2.raucb', sizeBytes: BUNDLE.length, sha256: 'ab'.repeat(32) };
const LIVE = new AbortController().signal;

let server: AgentServer;
let client: AgentClient;
beforeEach(async () => {
  server = await startAgentServer();
  // The update waits for its bundle until it is given up.
  server.node.delivery = {
    deliver: (_operation, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    whyUnread: () => undefined,
    end: async () => server.offers.end(),
    sweep: async () => {},
  };
  client = await connect(server, 'operator');
});
afterEach(async () => {
  client.close();
  await server.stop();
});

const reaches = (phase: Phase) => vi.waitFor(() => server.node.until(server.updater, phase), { timeout: 5_000 });

async function install(): Promise<string> {
  const { operationId } = await ask(client.updates, 'installBundle', { source: { client: CLIENT } });
  await reaches('downloading');
  return operationId;
}

type Wanted = lamadist.agent.v1.ServeBundleResponse;
type Stream = ClientDuplexStream<lamadist.agent.v1.ServeBundleRequest.$Properties, Wanted>;

/** A call of the client: what the node asked for, and how the call ended. */
function serve(operationId: string | undefined, answer: (wanted: Wanted, stream: Stream) => void = () => {}) {
  const stream = client.updates.serveBundle(new Metadata(), soon()) as unknown as Stream;
  const asked: [number, number][] = [];
  const over = new Promise<string>((resolve) => {
    stream.on('error', (error: ServiceError) => resolve(failureIn(error)?.code ?? error.message));
    stream.on('status', ({ code }) => code === 0 && resolve('OK'));
  });
  stream.on('data', (wanted: Wanted) => {
    asked.push([wanted.offset, wanted.length]);
    answer(wanted, stream);
  });
  if (operationId !== undefined) stream.write({ operationId });
  return { stream, asked, over };
}

/** Gives what was asked for, in parts. */
function honest({ offset, length }: Wanted, stream: Stream): void {
  for (let at = offset; at < offset + length; at += 1 << 20) {
    stream.write({ part: { offset: at, data: BUNDLE.subarray(at, Math.min(at + (1 << 20), offset + length)) } });
  }
}

/** Reads from the client of an operation, as the delivery does, as soon as there is one. */
async function read(operationId: string, offset: number, length: number, signal = LIVE): Promise<Buffer> {
  const { operation } = server.updater.state as { operation: Operation };
  const { source } = operation;
  if (source.type !== 'client') throw new Error('the operation is for another source');
  const reader = await server.offers.opener(operationId, source)(signal);
  return collect(reader.read(offset, length, signal));
}
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error) => error,
  );

describe('a client that serves its bundle', () => {
  it('is asked for ranges, and what it gives is the bundle', async () => {
    const id = await install();
    const { asked } = serve(id, honest);
    expect((await read(id, 0, BUNDLE.length)).equals(BUNDLE)).toBe(true);
    expect((await read(id, 5, 10)).equals(BUNDLE.subarray(5, 15))).toBe(true);
    expect(asked).toEqual([
      [0, 8 << 20],
      [8 << 20, BUNDLE.length - (8 << 20)],
      [5, 10],
    ]);
  });

  it('is asked for one range after the other, whoever reads', async () => {
    const id = await install();
    serve(id, honest);
    const parts = await Promise.all([0, 1, 2, 3].map((n) => read(id, n * 1_000, 1_000)));
    expect(Buffer.concat(parts).equals(BUNDLE.subarray(0, 4_000))).toBe(true);
  });

  it('may come before or after it is needed', async () => {
    const id = await install();
    const early = read(id, 0, 10);
    serve(id, honest);
    expect((await early).equals(BUNDLE.subarray(0, 10))).toBe(true);
  });

  it.each<[string, (wanted: Wanted) => lamadist.agent.v1.ServeBundleRequest.$Properties]>([
    ['another offset', ({ offset }) => ({ part: { offset: offset + 1, data: Buffer.alloc(10) } })],
    ['more than was asked for', ({ offset, length }) => ({ part: { offset, data: Buffer.alloc(length + 1) } })],
    ['nothing', ({ offset }) => ({ part: { offset, data: Buffer.alloc(0) } })],
    ['something else', () => ({ operationId: 'another' })],
  ])('is let go when it sends %s', async (_what, answer) => {
    const id = await install();
    const { over } = serve(id, (wanted, stream) => void stream.write(answer(wanted)));
    expect(await failure(read(id, 100, 1_000))).toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    expect(await over).toBe('OK');
  });

  it('is cut off when it sends a message that is too large', async () => {
    const id = await install();
    const { over } = serve(id, ({ offset }, stream) => void stream.write({ part: { offset, data: Buffer.alloc(2 << 20) } }));
    expect(await failure(read(id, 0, 4 << 20))).toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(await over).toMatch(/larger than max/);
  });

  it('may go away in the middle of a range, and another goes on', async () => {
    const id = await install();
    serve(id, (wanted, leaving) => {
      leaving.write({ part: { offset: wanted.offset, data: BUNDLE.subarray(0, 100) } });
      setTimeout(() => leaving.cancel(), 50);
    });
    expect(await failure(read(id, 0, 1_000))).toMatchObject({ code: 'DOWNLOAD_FAILED' });
    const waiting = read(id, 100, 900);
    serve(id, honest);
    expect((await waiting).equals(BUNDLE.subarray(100, 1_000))).toBe(true);
  });

  it('may end its call in the middle of a range', async () => {
    const id = await install();
    serve(id, (_wanted, stream) => void stream.end());
    const message = 'Cannot fetch the bundle: the client went away (it ended the call)';
    expect(await failure(read(id, 0, 1_000))).toMatchObject({ code: 'DOWNLOAD_FAILED', message });
  });

  it('that says nothing is taken for gone', async () => {
    const id = await install();
    const { asked, over } = serve(id);
    const done = failure(read(id, 0, 1_000));
    await vi.waitUntil(() => asked.length > 0);
    await server.node.clock.advance(30_000);
    const message = 'Cannot fetch the bundle: the client went away (it was silent for 30 s)';
    expect(await done).toMatchObject({ code: 'DOWNLOAD_FAILED', message });
    expect(await over).toBe('OK');
  });

  it('that is left in the middle of a range is let go, for the rest of it is still on its way', async () => {
    const id = await install();
    const { over } = serve(id, honest);
    const { source } = (server.updater.state as { operation: Operation }).operation;
    if (source.type !== 'client') throw new Error('the operation is for another source');
    const reader = await server.offers.opener(id, source)(LIVE);
    for await (const _piece of reader.read(0, BUNDLE.length, LIVE)) break;
    expect(await over).toBe('OK');
    serve(id, honest);
    expect((await read(id, 5, 10)).equals(BUNDLE.subarray(5, 15))).toBe(true);
  });

  it('is let go when the reader is told to stop, though the client says nothing', async () => {
    const id = await install();
    const { asked, over } = serve(id);
    const stop = new AbortController();
    const done = failure(read(id, 0, 1_000, stop.signal));
    await vi.waitUntil(() => asked.length > 0);
    stop.abort(new Error('enough'));
    expect(await done).toMatchObject({ message: 'enough' });
    expect(await over).toBe('OK');
  });

  it('is told when its update is over', async () => {
    const id = await install();
    const { over } = serve(id, honest);
    await read(id, 0, 10);
    await ask(client.updates, 'rollBack', { message: 'enough' });
    await reaches('failed');
    expect(await over).toBe('OK');
  });
});

describe('an install', () => {
  it.each(['another', ''])('with the id "%s" that nobody asked for takes no bundle', async (id) => {
    await install();
    expect(await serve(id).over).toBe('UPDATE_NOT_FOUND');
  });

  it('of a bundle that lies elsewhere takes none', async () => {
    const { operationId } = await ask(client.updates, 'installBundle', { source: { url: 'https://images.lan/v2.raucb' } });
    await reaches('downloading');
    expect(await serve(operationId).over).toBe('UPDATE_NOT_FOUND');
  });

  it('that ended takes none any longer', async () => {
    const id = await install();
    await ask(client.updates, 'rollBack', { message: '' });
    await reaches('failed');
    expect(await serve(id).over).toBe('UPDATE_NOT_FOUND');
  });

  it('is the same for the same file, whose client asks again', async () => {
    const id = await install();
    expect(await install()).toBe(id);
  });

  it('is the same for who says nothing of the rate this time', async () => {
    const { operationId } = await ask(client.updates, 'installBundle', { source: { client: CLIENT }, bytesPerSecond: 1_000_000 });
    expect(await install()).toBe(operationId);
  });

  it('is not joined by who asks for it in another way', async () => {
    await install();
    const request = { source: { client: CLIENT }, rebootPolicy: lamadist.agent.v1.RebootPolicy.REBOOT_POLICY_MANUAL };
    const refused = await failure(ask(client.updates, 'installBundle', request));
    expect(refused).toMatchObject({
      code: 'UPDATE_IN_PROGRESS',
      message: expect.stringContaining('reboot_policy automatic, and not manual'),
    });
  });

  it('is not joined by who follows another id', async () => {
    await install();
    const request = { source: { client: CLIENT }, operationId: randomUUID() };
    expect(await failure(ask(client.updates, 'installBundle', request))).toMatchObject({ code: 'UPDATE_IN_PROGRESS' });
  });

  it('is not for readers to give a bundle to', async () => {
    const id = await install();
    client.close();
    client = await connect(server, 'reader');
    expect(await serve(id).over).toBe('PERMISSION_DENIED');
  });

  it('has the calls of its client in the audit log, and not the bundle', async () => {
    const id = await install();
    const { stream } = serve(id, honest);
    await read(id, 0, 1_000);
    stream.cancel();
    await vi.waitFor(async () => expect(await server.auditLog()).toContain('ServeBundle'));
    const [line = ''] = (await server.auditLog()).split('\n').filter((text) => text.includes('ServeBundle'));
    expect(JSON.parse(line)).toMatchObject({ caller: 'operator', request: { operationId: id } });
    expect(line.length).toBeLessThan(1_000);
  });
});
