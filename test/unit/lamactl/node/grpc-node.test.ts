// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { askedNode } from '../../../../agent/lamactl/fleet/poll/questions.ts';
import { BundleFile } from '../../../../agent/lamactl/node/bundle-file.ts';
import { connectGrpc } from '../../../../agent/lamactl/node/grpc-node.ts';
import type { ConnectOptions, NodeConnection, Target } from '../../../../agent/lamactl/node/node.ts';
import { UnaryChannel } from '../../../../agent/lamactl/node/unary-channel.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { DeviceServiceDefinition, HealthServiceDefinition, UpdateServiceDefinition } from '../../../../agent/shared/gen/services.ts';
import { toStatus } from '../../../../agent/shared/status.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { Certificates } from '../certificates.ts';

const certificates = new Certificates();
const servers: Server[] = [];

beforeAll(() => {
  certificates.authority('ca');
  certificates.authority('stranger');
  certificates.leaf('attic', 'ca');
  certificates.leaf('admin', 'ca');
  certificates.leaf('mallory', 'stranger');
  certificates.leaf('expired', 'ca', 0);
});

afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});

afterAll(() => certificates.remove());

const read = (file: string) => readFileSync(certificates.path(file));

/** Serves handlers as a node does: TLS with a client certificate from the CA. */
async function serve(handlers: UntypedServiceImplementation = {}, name = 'attic'): Promise<string> {
  const server = new Server();
  servers.push(server);
  server.addService({ ...DeviceServiceDefinition, ...HealthServiceDefinition, ...UpdateServiceDefinition }, handlers);
  const keyPair = { cert_chain: read(`${name}.pem`), private_key: read(`${name}.key`) };
  const credentials = ServerCredentials.createSsl(read('ca.pem'), [keyPair], true);
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error ? reject(error) : resolve(`127.0.0.1:${port}`)));
  });
}

interface Side {
  readonly ca?: string;
  readonly client?: string;
  readonly tlsName?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

type Way = (target: Target, options: ConnectOptions) => Promise<Pick<NodeConnection, 'device' | 'close'>>;

/** For a few calls that are answered once, and for all that a node can be asked. */
const WAYS: Readonly<Record<string, Way>> = {
  'a bare session of HTTP/2': async (target, { timeoutMs }) => {
    const channel = new UnaryChannel(target, timeoutMs);
    return { device: () => askedNode(channel).device(), close: () => channel.close() };
  },
  'a channel of grpc-js': connectGrpc,
};

function open(address: string, side: Side = {}) {
  return connectGrpc(...sides(address, side));
}

function sides(address: string, side: Side): [Target, ConnectOptions] {
  const { ca = 'ca', client = 'admin', tlsName = 'attic', timeoutMs = 5_000, signal } = side;
  const identity = { ca: read(`${ca}.pem`), certificate: read(`${client}.pem`), key: read(`${client}.key`) };
  const target: Target = { name: 'attic', address, tlsName, labels: {}, identity };
  const options: ConnectOptions = { timeoutMs, ...(signal ? { signal } : {}) };
  return [target, options];
}

/** The failure of a call on a new connection. */
async function failureAt(address: string, side: Side = {}, way: Way = connectGrpc): Promise<Failure> {
  const node = await way(...sides(address, side));
  try {
    await node.device();
  } catch (thrown) {
    return thrown as Failure;
  } finally {
    node.close();
  }
  throw new Error('the call did not fail');
}

const device: UntypedServiceImplementation['getDevice'] = (_call: unknown, answer: (error: null, response: object) => void) => {
  answer(null, {
    device: {
      hostname: 'attic\x1b]0;owned\x07',
      bootedAt: { seconds: 1_700_000_000, nanos: 5e8 },
      slots: [{ name: 'rootfs.0', bootStatus: 1 }],
      rauc: 1,
    },
  });
};

describe.each(Object.entries(WAYS))('a node over %s', (_, way) => {
  it('answers in plain data, without what drives a terminal', async () => {
    const node = await way(...sides(await serve({ getDevice: device }), {}));
    const answer = await node.device();
    node.close();
    expect(answer).toMatchObject({
      hostname: 'attic\uFFFD]0;owned\uFFFD',
      bootedAt: '2023-11-14T22:13:20.500Z',
      rauc: 'reachable',
      bus: 'unknown',
    });
    expect(answer.slots).toEqual([
      { name: 'rootfs.0', bootname: '', device: '', booted: false, primary: false, bootStatus: 'good', version: '', status: '' },
    ]);
  });

  it('fails as the node said, with its code and facts', async () => {
    const address = await serve({
      getDevice: (_call: unknown, answer: (error: object) => void) => {
        answer(toStatus(new Failure('RAUC_UNAVAILABLE', 'Cannot read the slots: \x1b[2JRAUC is gone', { bus: 'system' })));
      },
    });
    const failure = await failureAt(address, {}, way);
    expect(failure).toMatchObject({ code: 'RAUC_UNAVAILABLE', message: 'Cannot read the slots: \uFFFD[2JRAUC is gone' });
    expect(failure.facts).toMatchObject({ bus: 'system' });
  });

  it('is unreachable when nothing listens', async () => {
    expect(await failureAt('127.0.0.1:1', {}, way)).toMatchObject({
      code: 'NODE_UNREACHABLE',
      message: 'Cannot reach 127.0.0.1:1: nothing listens there',
    });
  });

  it('is unreachable when something listens but never speaks', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    expect(await failureAt(`127.0.0.1:${port}`, { timeoutMs: 300 }, way)).toMatchObject({ code: 'NODE_UNREACHABLE' });
    silent.close();
  });

  it('misses the deadline when the node accepts a call and does not answer it', async () => {
    const address = await serve({ getDevice: () => undefined });
    expect(await failureAt(address, { timeoutMs: 500 }, way)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it.each(['mallory', 'expired'])('is unauthenticated with the certificate "%s"', async (client) => {
    const failure = await failureAt(await serve({ getDevice: device }), { client }, way);
    expect(failure.code).toBe('UNAUTHENTICATED');
    expect(failure.remedy).toContain('client certificate');
    expect(/, which ended on \d{4}-\d\d-\d\d$/.test(failure.message)).toBe(client === 'expired');
  });

  it('does not trust a node whose certificate another CA signed', async () => {
    expect(await failureAt(await serve({ getDevice: device }), { ca: 'stranger' }, way)).toMatchObject({ code: 'NODE_UNTRUSTED' });
  });

  it('does not trust a node whose certificate has another name', async () => {
    const failure = await failureAt(await serve({ getDevice: device }), { tlsName: 'cellar' }, way);
    expect(failure).toMatchObject({ code: 'NODE_UNTRUSTED' });
    expect(failure.message).toContain('its certificate is for another name');
  });
});

describe('a node over a bare session of HTTP/2', () => {
  it('is not trusted for a name that its certificate has in the subject alone', async () => {
    const side = { ca: 'stranger', tlsName: 'stranger' };
    const failure = await failureAt(await serve({ getDevice: device }, 'stranger'), side, WAYS['a bare session of HTTP/2']);
    expect(failure.message).toContain('its certificate is for another name');
  });
});

describe('a node over gRPC', () => {
  it('reads pages of updates up to the limit', async () => {
    const sizes: number[] = [];
    const node = await open(
      await serve({
        listUpdates: (call: { request: { pageSize: number; pageToken: string } }, answer: (error: null, response: object) => void) => {
          sizes.push(call.request.pageSize);
          const updates = Array.from({ length: call.request.pageSize }, () => ({ phase: 13 }));
          answer(null, { updates, nextPageToken: 'more' });
        },
      }),
    );
    const updates = await node.updates(150);
    node.close();
    expect(sizes).toEqual([100, 50]);
    expect(updates).toHaveLength(150);
    expect(updates[0]).toMatchObject({ phase: 'rolled-back' });
  });

  it('is unreachable, not broken, when the node goes down in the middle of a stream', async () => {
    const address = await serve({
      watchUpdate: (call: { write: (message: object) => void }) => {
        call.write({ cursor: '1', progress: { phase: 4 } });
      },
    });
    const node = await open(address);
    const events = node.watch('op-1', '')[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ cursor: '1', type: 'progress', update: { phase: 'installing' } });
    for (const server of servers) server.forceShutdown();
    await expect(events.next()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
    node.close();
  });

  it('cancels calls and streams with its signal', async () => {
    const address = await serve({ getDevice: () => undefined, watchUpdate: () => undefined });
    const stop = new AbortController();
    const node = await open(address, { signal: stop.signal });
    const calls = [node.device(), node.watch('', '')[Symbol.asyncIterator]().next()];
    setTimeout(() => stop.abort(), 100);
    const results = await Promise.allSettled(calls);
    node.close();
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('a bundle that is given to a node', () => {
  const BUNDLE = Buffer.from(Array.from({ length: 5_000_000 }, (_, index) => index % 251));

  interface Message {
    readonly operationId?: string;
    readonly part?: { readonly offset: number; readonly data: Buffer };
  }
  type Call = ServerDuplexStream<Message, { offset: number; length: number }>;

  /** Gives a bundle to a node that takes the call in its own way. */
  async function giving(takes: (call: Call) => void, signal?: AbortSignal) {
    const path = join(await temporaryFolder(), 'v2.raucb');
    await writeFile(path, BUNDLE);
    const file = await BundleFile.open(path);
    onTestFinished(() => file.close());
    const node = await open(await serve({ serveBundle: takes }), signal ? { signal } : {});
    onTestFinished(() => node.close());
    const outcome = node.serveBundle('op-1', file).then(
      () => 'ended',
      (error: Failure) => error,
    );
    return { outcome, path };
  }

  it('is given range by range, in parts that a node takes, until the node has enough', async () => {
    const parts: { offset: number; data: Buffer }[] = [];
    const { outcome } = await giving((call) => {
      let missing = 0;
      let wanted = [
        { offset: 4_000_000, length: 1_000_000 },
        { offset: 10, length: 20 },
      ];
      call.on('data', ({ operationId, part }: Message) => {
        if (part) parts.push(part);
        missing -= part?.data.length ?? 0;
        if (missing > 0) return;
        const [range, ...rest] = wanted;
        wanted = rest;
        missing = range?.length ?? 0;
        expect(operationId ?? 'op-1').toBe('op-1');
        if (range) call.write(range);
        else call.end();
      });
    });
    expect(await outcome).toBe('ended');
    expect(Math.max(...parts.map(({ data }) => data.length))).toBe(256 << 10);
    expect(parts.at(-1)).toMatchObject({ offset: 10, data: BUNDLE.subarray(10, 30) });
    expect(Buffer.concat(parts.slice(0, -1).map(({ data }) => data)).equals(BUNDLE.subarray(4_000_000))).toBe(true);
  });

  it('is given no further when the node ends the call in the middle of a range', async () => {
    const { outcome } = await giving((call) => {
      call.once('data', () => {
        call.write({ offset: 0, length: BUNDLE.length });
        // Whoever reads no more lets the client's parts pile up.
        call.pause();
        setTimeout(() => call.end(), 100);
      });
    });
    expect(await outcome).toBe('ended');
  });

  it('is given no further when the node says why', async () => {
    const { outcome } = await giving((call) => {
      call.once('data', () => {
        call.write({ offset: 0, length: BUNDLE.length });
        call.emit('error', toStatus(new Failure('UPDATE_NOT_FOUND', 'Cannot take the bundle: nobody waits for it')));
      });
    });
    expect(await outcome).toMatchObject({ code: 'UPDATE_NOT_FOUND' });
  });

  it('is given no further when the signal says so, before or in the middle', async () => {
    const { outcome: none } = await giving(() => undefined, AbortSignal.abort());
    expect(await none).toBeInstanceOf(Failure);
    const stop = new AbortController();
    const { outcome } = await giving((call) => {
      call.once('data', () => {
        call.write({ offset: 0, length: BUNDLE.length });
        call.pause();
        setTimeout(() => stop.abort(), 100);
      });
    }, stop.signal);
    expect(await outcome).toBeInstanceOf(Failure);
  });

  it('is given no further when it became shorter', async () => {
    const shortened = new AbortController();
    const { outcome, path } = await giving((call) => {
      const ask = () => void call.write({ offset: 0, length: BUNDLE.length });
      if (shortened.signal.aborted) ask();
      else shortened.signal.addEventListener('abort', ask);
      call.resume();
    });
    await truncate(path, 1_000);
    shortened.abort();
    expect(await outcome).toMatchObject({ code: 'BUNDLE_CHANGED' });
  });

  it('has a deadline for all of its calls together, where one is given', async () => {
    const address = await serve({ getDevice: () => undefined });
    const [target, options] = sides(address, { timeoutMs: 60_000 });
    const node = await connectGrpc(target, { ...options, inAllMs: 500 });
    await expect(node.device()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    await expect(node.device()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    node.close();
  });
});
