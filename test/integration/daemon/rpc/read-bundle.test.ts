// SPDX-License-Identifier: Apache-2.0
// One node reads from another over the real protocol, with the certificates of both.
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFromPeers } from '../../../../agent/daemon/platform/peers/peer-bundle.ts';
import { systemClock } from '../../../../agent/daemon/timing/clock.ts';
import type { Failure } from '../../../../agent/shared/failure.ts';
import { TestPki } from '../../../../qemu/pki/test-pki.ts';
import { STATES } from '../../../unit/daemon/update/states.ts';
import { collect } from '../../../unit/fakes/bundle.ts';
import { type AgentServer, startAgentServer } from '../../fakes/agent-server.ts';

const BUNDLE = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251));
const SHA256 = 'ab'.repeat(32);
const LIVE = new AbortController().signal;
const { committed } = STATES;
const source = { type: 'client', name: 'v2.raucb', sizeBytes: BUNDLE.length, sha256: SHA256 } as const;
const keeping = { ...committed, operation: { ...committed.operation, source, keepBundle: true } };

describe('a bundle that a node keeps', () => {
  let server: AgentServer;
  const start = async (state: typeof committed) => {
    server = await startAgentServer(undefined, undefined, undefined, state);
    await writeFile(path.join(server.folder, 'kept.raucb'), BUNDLE);
  };
  beforeEach(() => start(keeping));
  afterEach(() => server.stop());

  /** What a node shows to others. */
  async function identityOf(name: string, pki = server.pki) {
    const { key, certificate } = await pki.node(name, '127.0.0.1');
    const ca = Buffer.from(server.pki.agentAuthority.certificate);
    return async () => ({ ca, key: Buffer.from(key), certificate: Buffer.from(certificate) });
  }

  /** What another node gets, whose certificate is of this authority. */
  async function read(offset: number, length: number, { pki = server.pki, name = 'attic', sha256 = SHA256, signal = LIVE } = {}) {
    const identity = await identityOf('cellar', pki);
    return collect(readFromPeers(identity, systemClock)({ name, address: server.address }, sha256, offset, length, signal));
  }
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'nothing',
      ({ code, message }: Failure) => `${code}: ${message}`,
    );

  it('is given to another node, part by part', async () => {
    expect(BUNDLE.equals(await read(0, BUNDLE.length))).toBe(true);
    expect(await read(1_000_000, 5)).toEqual(BUNDLE.subarray(1_000_000, 1_000_005));
  });

  it.each([
    ['beyond its end', BUNDLE.length - 1, 2],
    ['before its start', -1, 2],
    ['of nothing', 0, 0],
  ])('is not given %s', async (_, offset, length) => {
    expect(await failure(read(offset, length))).toContain('Cannot read the bundle: it has no');
  });

  it('is no other than the one that was asked for', async () => {
    expect(await failure(read(0, 5, { sha256: 'cd'.repeat(32) }))).toContain('this node keeps no such file');
  });

  it('is not given once it is gone', async () => {
    await rm(path.join(server.folder, 'kept.raucb'));
    expect(await failure(read(0, 5))).toMatch(/^DOWNLOAD_FAILED: Cannot fetch the bundle: the node attic did not give it/);
  });

  it('is not given by one that did not commit to it, or was not asked to keep it', async () => {
    await server.stop();
    await start({ ...keeping, operation: { ...keeping.operation, keepBundle: false } });
    expect(await failure(read(0, 5))).toContain('this node keeps no such file');
    await server.stop();
    await start({ ...keeping, phase: 'trial' } as unknown as typeof committed);
    expect(await failure(read(0, 5))).toContain('this node keeps no such file');
  });

  it('is neither given to a stranger nor taken from one', async () => {
    expect(await failure(read(0, 5, { pki: await TestPki.create() }))).toMatch(/^DOWNLOAD_FAILED/);
    expect(await failure(read(0, 5, { name: 'shed' }))).toMatch(/^DOWNLOAD_FAILED/);
  });

  it('is given to a few at once, and the others are told to go elsewhere', async () => {
    const slow = await Promise.all(
      ['shed', 'garage', 'roof', 'garden'].map(async (name) => {
        const reading = readFromPeers(await identityOf(name), systemClock)(
          { name: 'attic', address: server.address },
          SHA256,
          0,
          BUNDLE.length,
          LIVE,
        );
        return reading[Symbol.asyncIterator]();
      }),
    );
    for (const reader of slow) await reader.next();
    expect(await failure(read(0, 5))).toContain('4 others do');
    for (const reader of slow) await reader.return?.();
    await expect.poll(() => failure(read(0, 5)), { timeout: 10_000 }).toBe('nothing');
  });

  it('is not waited for when it drips', async () => {
    let nowMs = 0;
    const slowly = { ...systemClock, monotonicMs: () => (nowMs += 61_000) };
    const reading = readFromPeers(await identityOf('cellar'), slowly)(
      { name: 'attic', address: server.address },
      SHA256,
      0,
      BUNDLE.length,
      LIVE,
    );
    expect(await failure(collect(reading))).toMatch(/it gave \d+ bytes in 60 s/);
  });

  it('is no longer fetched when the update is given up', async () => {
    expect(await failure(read(0, 5, { signal: AbortSignal.abort(new Error('enough')) }))).toContain('enough');
  });
});
