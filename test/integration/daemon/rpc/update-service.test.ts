// SPDX-License-Identifier: Apache-2.0
import { type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndedUpdate, Phase } from '../../../../agent/daemon/update/life/state.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { lamadist } from '../../../../agent/shared/gen/messages.js';
import { failureIn } from '../../../../agent/shared/status.ts';
import { STATES } from '../../../unit/daemon/update/states.ts';
import { type AgentClient, ask, connect, soon } from '../../fakes/agent-client.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

const { RebootPolicy, UpdatePhase } = lamadist.agent.v1;

let server: AgentServer;
let client: AgentClient;
beforeEach(async () => {
  server = await startAgentServer();
  client = await connect(server);
});
afterEach(async () => {
  client.close();
  await server.stop();
});

const install = (source: object = { path: '/var/v2.raucb' }) => {
  const request = { source, rebootPolicy: RebootPolicy.REBOOT_POLICY_MANUAL };
  return ask(client.updates, 'installBundle', request);
};
const get = (operationId = '') => ask(client.updates, 'getUpdate', { operationId });
const rollBack = (message = '') => ask(client.updates, 'rollBack', { message });
const list = (pageSize: number, pageToken = '') => ask(client.updates, 'listUpdates', { pageSize, pageToken });
/** Ended updates are kept on a real disk, which knows nothing of the node's clock. */
const reaches = (phase: Phase) => vi.waitFor(() => server.node.until(server.updater, phase), { timeout: 5_000 });

type Message = lamadist.agent.v1.WatchUpdateResponse;

/** A watch, read message by message; `cancel` is the client going away. */
function watch(operationId = '', afterCursor = '') {
  const stream: ClientReadableStream<Message> = client.updates.watchUpdate({ operationId, afterCursor }, new Metadata(), soon());
  const messages = stream[Symbol.asyncIterator]();
  const next = async (): Promise<Message | undefined> => {
    try {
      return (await messages.next()).value;
    } catch (error) {
      throw failureIn(error as never) ?? error;
    }
  };
  /** Reads on until a message is about this phase. */
  const until = async (phase: lamadist.agent.v1.UpdatePhase): Promise<Message> => {
    for (let message = await next(); message; message = await next()) {
      if ((message.progress ?? message.result)?.phase === phase) return message;
    }
    throw new Error(`the stream ended without phase ${UpdatePhase[phase]}`);
  };
  return { next, until, cancel: () => stream.cancel() };
}

describe('an update that is watched', () => {
  it('shows itself first, then every change, and last its result', async () => {
    const { operationId } = await install();
    const { until, next } = watch(operationId);
    await reaches('installing');
    await until(UpdatePhase.UPDATE_PHASE_INSTALLING);
    server.node.installer.tell({ type: 'progress', percent: 40, message: 'Copying image to rootfs.1' });
    expect(await next()).toMatchObject({ progress: { progress: { percent: 40, message: 'Copying image to rootfs.1' } } });
    server.node.installer.tell({ type: 'failed', code: 'NO_SPACE', message: 'Cannot install the bundle: full' });
    await reaches('failed');
    const last = await next();
    expect(last).toMatchObject({ result: { operationId, reason: { code: 'NO_SPACE', message: 'Cannot install the bundle: full' } } });
    expect(await next()).toBeUndefined();
  });

  it('goes on after the last cursor when its client comes back', async () => {
    await install();
    await reaches('installing');
    const first = watch();
    const { cursor } = await first.until(UpdatePhase.UPDATE_PHASE_INSTALLING);
    first.cancel();

    const second = watch('', cursor);
    const news = second.next();
    server.node.installer.tell({ type: 'progress', percent: 80, message: 'Copying' });
    expect(await news).toMatchObject({ progress: { progress: { percent: 80 } } });
    server.node.installer.finish();
    await reaches('pending-reboot');

    // What happened in between is told by the newest state alone.
    const third = watch('', cursor);
    expect(await third.next()).toMatchObject({ progress: { phase: UpdatePhase.UPDATE_PHASE_PENDING_REBOOT } });
    await rollBack('not today');
    await reaches('rolled-back');
    const { result } = await third.until(UpdatePhase.UPDATE_PHASE_ROLLED_BACK);
    expect(result).toMatchObject({ reason: { code: 'REQUESTED', message: 'not today' }, sourceSlot: 'rootfs.0', targetSlot: 'rootfs.1' });
    expect(await third.next()).toBeUndefined();
    second.cancel();
  });

  it('gives its result again, whatever the cursor, once it has ended', async () => {
    const { operationId } = await install();
    await reaches('installing');
    await rollBack();
    server.node.installer.finish();
    await reaches('failed');
    const { cursor = '' } = (await watch(operationId).next()) ?? {};
    for (const after of ['', cursor, server.feed.latest.cursor, 'x.1']) {
      const { next } = watch(operationId, after);
      expect(await next()).toMatchObject({ result: { operationId, reason: { code: 'CANCELLED' } } });
      expect(await next()).toBeUndefined();
    }
    await install();
    expect(await watch(operationId, cursor).next()).toMatchObject({ result: { operationId } });
  });

  it('leaves nothing behind when its client goes away', async () => {
    let followers = 0;
    const follow = server.feed.follow.bind(server.feed);
    server.feed.follow = async function* (...args) {
      followers += 1;
      try {
        yield* follow(...args);
      } finally {
        followers -= 1;
      }
    };
    await install();
    await reaches('installing');
    const watches = Array.from({ length: 5 }, () => watch());
    for (const { next } of watches) await next();
    expect(followers).toBe(5);
    for (const { cancel } of watches) cancel();
    await vi.waitUntil(() => followers === 0, { timeout: 5_000 });
  });

  it('is not found where none was asked for, nor under another id', async () => {
    expect(await get()).toEqual({});
    await expect(watch().next()).rejects.toMatchObject({ code: 'UPDATE_NOT_FOUND' });
    await install();
    for (const id of ['another', 'constructor', '../update', '\0', 'x'.repeat(900_000)]) {
      await expect(get(id)).rejects.toMatchObject({ code: 'UPDATE_NOT_FOUND' });
      await expect(watch(id).next()).rejects.toMatchObject({ code: 'UPDATE_NOT_FOUND' });
    }
    expect((await get()).update?.operationId).toBe('operation-1');
  });
});

const FILE = { name: 'v2.raucb', sizeBytes: 1_000, sha256: 'ab'.repeat(32) };

describe('a source that is no source', () => {
  it.each([
    ['none', {}, 'the request names no path, no URL and no file of its own'],
    ['an empty path', { path: '' }, 'the request names no path, no URL and no file of its own'],
    ['a relative path', { path: 'v2.raucb' }, '"v2.raucb" is not an absolute path on the node'],
    ['a path with a NUL', { path: '/v2\0.raucb' }, 'is not an absolute path on the node'],
    ['a path that is too long', { path: `/${'x'.repeat(4096)}` }, 'the source is longer than 4096 characters'],
    ['an http: URL', { url: 'http://bundles.example/v2.raucb' }, 'the URL is not an https: URL'],
    ['a file: URL', { url: 'file:///v2.raucb' }, 'the URL is not an https: URL'],
    ['no URL at all', { url: 'v2.raucb' }, 'the URL is not an https: URL'],
    ['a URL with a user', { url: 'https://alice@bundles.example/' }, 'the URL holds credentials, which would end up in logs'],
    ['a URL with a password', { url: 'https://:secret@bundles.example/' }, 'the URL holds credentials, which would end up in logs'],
    ['a file of no bytes', { client: { ...FILE, sizeBytes: 0 } }, 'a file of 0 bytes is no bundle'],
    ['a file of less than none', { client: { ...FILE, sizeBytes: -1 } }, 'a file of -1 bytes is no bundle'],
    ['a file without a hash', { client: { ...FILE, sha256: '' } }, 'the SHA-256 of the file is not 64 hexadecimal digits'],
    ['a file with a hash in capitals', { client: { ...FILE, sha256: 'AB'.repeat(32) } }, 'the SHA-256 of the file is not'],
    ['a URL that is too long', { url: `https://bundles.example/${'x'.repeat(4096)}` }, 'the source is longer than 4096 characters'],
  ])('is %s', async (_what, source, found) => {
    const refused = await install(source).catch((error) => error);
    expect(refused).toMatchObject({ code: 'INVALID_REQUEST', facts: { field: 'source' } });
    expect(refused.message).toMatch(/^Cannot install: /);
    expect(refused.message).toContain(found);
    expect(refused.message).not.toContain('secret');
    await expect(ask(client.updates, 'inspectBundle', { source })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(server.updater.state.phase).toBe('idle');
  });
});

describe('an inspection', () => {
  it('shows the bundle, and whether it is for this node', async () => {
    const inspected = await ask(client.updates, 'inspectBundle', { source: { path: '/var/v2.raucb' } });
    expect(inspected).toMatchObject({ bundle: { version: '2', manifestHash: 'abc' }, compatibleWithNode: true, failedHere: false });
    server.node.installer.bundle = { ...server.node.installer.bundle, compatible: 'another' };
    const other = await ask(client.updates, 'inspectBundle', { source: { path: '/var/v2.raucb' } });
    expect(other.compatibleWithNode).toBe(false);
  });
});

describe('a rollback', () => {
  it('cancels an install although RAUC tells nothing about slots while it writes one', async () => {
    await install();
    await reaches('installing');
    server.node.installer.failures.set('slots', [new Failure('UPDATE_IN_PROGRESS', 'Cannot ask RAUC for the slots: it is installing')]);
    expect(await rollBack('a slip')).toEqual({ operationId: 'operation-1' });
    server.node.installer.failures.clear();
    server.node.installer.finish();
    expect(await reaches('failed')).toMatchObject({ reason: { code: 'CANCELLED', message: 'a slip' } });
  });

  it('has nothing to do on a node that was never updated', async () => {
    await expect(rollBack()).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' });
  });
});

describe('the list of updates', () => {
  const ids = ({ updates }: lamadist.agent.v1.ListUpdatesResponse) => updates.map(({ operationId }) => operationId);

  beforeEach(async () => {
    const { failed } = STATES;
    for (let atMs = 1; atMs <= 45; atMs += 1) {
      const update = { ...failed, operation: { ...failed.operation, id: `id-${atMs}` }, phaseChanges: [{ phase: 'inspecting', atMs }] };
      await server.history.keep(update satisfies EndedUpdate);
    }
  });

  it('comes in pages, newest first, to its end', async () => {
    const pages: ReturnType<typeof ids>[] = [];
    let token = '';
    do {
      const page = await list(20, token);
      pages.push(ids(page));
      token = page.nextPageToken;
    } while (token !== '');
    expect(pages.map(({ length }) => length)).toEqual([20, 20, 5]);
    expect(pages.flat()).toEqual(Array.from({ length: 45 }, (_, index) => `id-${45 - index}`));
  });

  it.each([
    [0, 20],
    [-1, 20],
    [2_000_000_000, 45],
  ])('takes a page size of %i for %i', async (asked, given) => {
    expect(ids(await list(asked))).toHaveLength(given);
  });

  it('is empty after a token that names no place in it', async () => {
    expect(await list(10, '!')).toMatchObject({ updates: [], nextPageToken: '' });
  });
});
