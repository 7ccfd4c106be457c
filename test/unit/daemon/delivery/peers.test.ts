// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { peersFirst, type ReadFromPeer } from '../../../../agent/daemon/delivery/peers.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { collect, FakeSource } from '../../fakes/bundle.ts';

const CONTENT = Buffer.from('0123456789');
const LIVE = new AbortController().signal;
const peers = ['attic', 'cellar', 'shed', 'garage'].map((name) => ({ name, address: `${name}.lan:7443` }));
const FILE = { name: 'v2.raucb', sizeBytes: CONTENT.length, sha256: 'ab', peers };

function opening(read: ReadFromPeer, random = () => 0.999) {
  const left: string[] = [];
  const client = new FakeSource(CONTENT);
  const { open } = peersFirst(FILE, client.open, { read, random, onLeft: ({ name }, { message }) => left.push(`${name}: ${message}`) });
  const read1 = async () => collect((await open(LIVE)).read(0, 10, LIVE)).then(String, ({ code }: Failure) => code);
  return { open, client, left, read: read1 };
}

describe('a file that other nodes keep', () => {
  it('comes from one of them as long as that one gives it', async () => {
    const asked: string[] = [];
    const { read, client } = opening(async function* ({ name }) {
      asked.push(name);
      yield CONTENT;
    });
    expect([await read(), await read()]).toEqual(['0123456789', '0123456789']);
    expect([asked, client.reads]).toEqual([['attic', 'attic'], []]);
  });

  it('is asked of three of them, and then of the client', async () => {
    // biome-ignore lint/correctness/useYield: it gives nothing.
    const { open, read, left } = opening(async function* () {
      throw new Failure('BUNDLE_NOT_FOUND', 'Cannot read the bundle: this node keeps no such file');
    });
    expect([await read(), await read(), await read()]).toEqual(['DOWNLOAD_FAILED', 'DOWNLOAD_FAILED', 'DOWNLOAD_FAILED']);
    expect(await collect((await open(LIVE)).read(0, 10, LIVE))).toEqual(CONTENT);
    expect(left).toHaveLength(3);
  });

  it.each([
    ['less', CONTENT.subarray(1), 'left out 1 bytes'],
    ['more', Buffer.alloc(11), 'gave more than was asked for'],
  ])('is no longer asked of one that gave %s', async (_, given, why) => {
    const { read, left } = opening(async function* () {
      yield given;
    });
    expect(await read()).toBe('DOWNLOAD_FAILED');
    expect(left).toEqual([`attic: Cannot fetch the bundle: another node ${why}`]);
  });

  it('is asked of different ones by different nodes', async () => {
    const first = new Set<string>();
    for (let each = 0; each < 40; each++) {
      const { read } = opening(async function* ({ name }) {
        first.add(name);
        yield CONTENT;
      }, Math.random);
      await read();
    }
    expect(first.size).toBeGreaterThan(1);
  });

  it('is given up without blame when the update is', async () => {
    const { open, left } = opening(async function* () {
      yield* [];
    });
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(collect((await open(LIVE)).read(0, 10, stopped))).rejects.toThrow('enough');
    expect(left).toEqual([]);
  });
});
