// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BundleDelivery, type RangeServer } from '../../../../agent/daemon/delivery/bundle-delivery.ts';
import { ClientOffers } from '../../../../agent/daemon/delivery/client-offers.ts';
import type { ReadFromPeer } from '../../../../agent/daemon/delivery/peers.ts';
import { Spool } from '../../../../agent/daemon/delivery/spool.ts';
import type { Operation } from '../../../../agent/daemon/update/life/state.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { BROKEN_OFF, collect, FakeSource } from '../../fakes/bundle.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryFolder } from '../../fakes/folder.ts';
import { OPERATION } from '../update/node.ts';

const CONTENT = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const LIVE = new AbortController().signal;
const FROM_URL: Operation = { ...OPERATION, source: { type: 'url', url: 'https://images.lan/v2.raucb' } };
const FROM_CLIENT: Operation = { ...OPERATION, source: { type: 'client', name: 'v2.raucb', sizeBytes: 1_000, sha256: 'ab' } };

const nobody: ReadFromPeer = async function* () {};

class FakeRangeServer implements RangeServer {
  served: { sizeBytes: number; read: (offset: number, length: number) => AsyncIterable<Buffer> } | undefined;
  async serve(sizeBytes: number, read: (offset: number, length: number) => AsyncIterable<Buffer>): Promise<string> {
    this.served = { sizeBytes, read };
    return 'http://127.0.0.1:1/secret/bundle.raucb';
  }
  async close(): Promise<void> {
    this.served = undefined;
  }
}

async function delivering({ canStream = false, readFromPeer = nobody }: { canStream?: boolean; readFromPeer?: ReadFromPeer } = {}) {
  const folder = join(await temporaryFolder(), 'download');
  const clock = new FakeClock();
  const offers = new ClientOffers(clock);
  const source = new FakeSource(CONTENT);
  const server = new FakeRangeServer();
  const urls: string[] = [];
  const told: [string, number, number][] = [];
  const delivery = new BundleDelivery({
    openUrl: (url) => {
      urls.push(url);
      return source.open;
    },
    offers,
    access: {
      clear: async () => void told.push(['access cleared', 0, 0]),
      forget: async (id) => void told.push([`access of ${id} forgotten`, 0, 0]),
    },
    spool: new Spool({ folder, maximumBytes: 10_000, reserveBytes: 0 }),
    ...(canStream && { rangeServer: server }),
    clock,
    random: () => 0,
    readFromPeer,
    onPeerLeft: (id, peer) => void told.push([`${id}: ${peer.name} was left`, 0, 0]),
    onPeersGave: (id, peers) => void told.push([`${id}: ${peers.map(({ name }) => name)} gave`, 0, 0]),
    onPause: (id, why, pauseMs) => void told.push([`${id}: ${why.code}`, pauseMs, 0]),
    onFetched: (...fetched) => told.push(fetched),
  });
  const stored = () => readdir(folder).catch(() => []);
  return { clock, offers, source, server, urls, told, delivery, stored };
}

/** Lets time pass until the work is done; the disk knows nothing of the clock. */
async function passing<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  const end = work.finally(() => {
    done = true;
  });
  while (!done) await clock.advance(10);
  return end;
}

describe('a bundle on the node', () => {
  it('is where it is', async () => {
    const { delivery, told } = await delivering();
    expect(await delivery.deliver(OPERATION, LIVE)).toBe('/var/v2.raucb');
    expect(told).toEqual([]);
  });
});

describe('a bundle from elsewhere, where RAUC cannot stream', () => {
  it('is brought to the disk, and every hundredth of it is told once', async () => {
    const { delivery, source, urls, told } = await delivering();
    source.pieceBytes = 3;
    expect(await readFile(await delivery.deliver(FROM_URL, LIVE))).toEqual(CONTENT);
    expect(urls).toEqual(['https://images.lan/v2.raucb']);
    expect(told[0]).toEqual([OPERATION.id, 0, 1_000]);
    const hundredths = told.map(([, bytes]) => Math.floor(bytes / 10));
    expect(hundredths).toEqual(Array.from({ length: 101 }, (_, index) => index));
  });

  it('comes from the client that offers it, whoever that is', async () => {
    const { delivery, offers, source } = await delivering();
    const channel = { read: source.reader().read, close: () => {} };
    offers.attach(FROM_CLIENT.id, channel);
    expect(await readFile(await delivery.deliver(FROM_CLIENT, LIVE))).toEqual(CONTENT);
  });

  it('comes through broken connections', async () => {
    const { clock, delivery, source, told } = await delivering();
    source.away.push(BROKEN_OFF);
    source.breaks.push(300, 0);
    const path = delivery.deliver(FROM_URL, LIVE);
    expect(await readFile(await passing(clock, path))).toEqual(CONTENT);
    expect(source.reads.map(([offset]) => offset)).toEqual([0, 300, 300]);
    expect(told.filter(([what]) => what.includes('DOWNLOAD_FAILED'))).toHaveLength(3);
  });

  it('comes no faster than it was asked for', async () => {
    const { clock, delivery } = await delivering();
    const path = delivery.deliver({ ...FROM_URL, bytesPerSecond: 100 }, LIVE);
    expect(await readFile(await passing(clock, path))).toEqual(CONTENT);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(10_000);
  });

  it('is removed at the end, unless it is to be gone on with', async () => {
    const { delivery, stored } = await delivering();
    await delivery.deliver(FROM_URL, LIVE);
    await delivery.end(OPERATION.id, true);
    expect(await stored()).toHaveLength(1);
    await delivery.end(OPERATION.id, false);
    expect(await stored()).toEqual([]);
  });

  it('takes with it, at the end, what its own server wanted to see, and no other operation’s', async () => {
    const { delivery, told } = await delivering();
    await delivery.end('first', false);
    expect(told).toEqual([['access of first forgotten', 0, 0]]);
  });

  it('is swept away, with all that servers wanted to see, when no update is under way', async () => {
    const { delivery, stored, told } = await delivering();
    await delivery.deliver(FROM_URL, LIVE);
    await delivery.sweep(true);
    expect(await stored()).toHaveLength(1);
    await delivery.sweep(false);
    expect(await stored()).toEqual([]);
    expect(told.at(-1)).toEqual(['access cleared', 0, 0]);
  });

  it('is brought only once the update before it is cleaned up', async () => {
    const { delivery } = await delivering();
    await delivery.deliver(FROM_URL, LIVE);
    const ending = delivery.end('first', false);
    const path = await delivery.deliver(FROM_URL, LIVE);
    await ending;
    expect(await readFile(path)).toEqual(CONTENT);
  });

  it('is no longer brought when the update is given up', async () => {
    const { delivery, source } = await delivering();
    await expect(delivery.deliver(FROM_URL, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(source.reads).toEqual([]);
  });
});

describe('a bundle from elsewhere, where RAUC can stream', () => {
  it('is shown to RAUC, fetched as RAUC reads, and never on the disk', async () => {
    const { delivery, server, source, told, stored } = await delivering({ canStream: true });
    expect(await delivery.deliver(FROM_URL, LIVE)).toBe('http://127.0.0.1:1/secret/bundle.raucb');
    expect(source.reads).toEqual([]);
    expect(server.served?.sizeBytes).toBe(1_000);
    expect(await collect(server.served!.read(100, 200))).toEqual(CONTENT.subarray(100, 300));
    expect(source.reads).toEqual([[100, 200]]);
    expect(told.at(-1)).toEqual([OPERATION.id, 200, 1_000]);
    expect(await stored()).toEqual([]);
  });

  it('is never told to have come more than whole, however often RAUC reads it', async () => {
    const { delivery, server, told } = await delivering({ canStream: true });
    await delivery.deliver(FROM_URL, LIVE);
    for (let time = 0; time < 2; time++) await collect(server.served!.read(0, 1_000));
    expect(told).toHaveLength(101);
    expect(told.at(-1)).toEqual([OPERATION.id, 1_000, 1_000]);
  });

  it('goes on to be shown after it was delivered, until the end', async () => {
    const { clock, delivery, server, source } = await delivering({ canStream: true });
    const delivered = new AbortController();
    await delivery.deliver(FROM_URL, delivered.signal);
    delivered.abort();
    const { read } = server.served!;
    expect(await collect(read(0, 10))).toEqual(CONTENT.subarray(0, 10));
    source.breaks.push(0);
    source.away.push(...Array(3).fill(BROKEN_OFF));
    const left = collect(read(10, 10)).catch((error) => error);
    await delivery.end(OPERATION.id, false);
    await clock.advance(0);
    expect(await left).toMatchObject({ name: 'AbortError' });
    expect(server.served).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });

  it('tells why it could not be read, until it can be again', async () => {
    const { clock, delivery, server, source } = await delivering({ canStream: true });
    await delivery.deliver(FROM_URL, LIVE);
    const { read } = server.served!;
    source.breaks.push(0);
    source.away.push(new Failure('DOWNLOAD_REFUSED', 'Cannot fetch the bundle: the server answered 403'));
    expect(
      await passing(
        clock,
        collect(read(0, 10)).catch((error) => error),
      ),
    ).toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    expect(delivery.whyUnread()).toMatchObject({ code: 'DOWNLOAD_REFUSED' });
    await collect(read(0, 10));
    expect(delivery.whyUnread()).toBeUndefined();
  });

  it('is brought whole to the disk after all when its source cannot tell it from another', async () => {
    const { delivery, server, source } = await delivering({ canStream: true });
    source.validator = '';
    expect(await readFile(await delivery.deliver(FROM_URL, LIVE))).toEqual(CONTENT);
    expect(server.served).toBeUndefined();
  });

  it('is brought whole to the disk when it is to be kept, and stays there until the next update ends', async () => {
    const { delivery, offers, source, server, stored } = await delivering({ canStream: true });
    offers.attach(FROM_CLIENT.id, { read: source.reader().read, close: () => {} });
    // RAUC takes a file that it installs for its own.
    expect(await delivery.deliver({ ...FROM_CLIENT, keepBundle: true }, LIVE)).toBe('http://127.0.0.1:1/secret/bundle.raucb');
    expect(await collect(server.served!.read(100, 200))).toEqual(CONTENT.subarray(100, 300));
    await delivery.end(FROM_CLIENT.id, true);
    const path = await delivery.kept({ name: 'v2.raucb', sizeBytes: 1_000, sha256: 'ab' });
    expect(await readFile(path ?? '')).toEqual(CONTENT);
    expect(await delivery.kept({ name: 'v2.raucb', sizeBytes: 1_001, sha256: 'ab' })).toBeUndefined();
    await delivery.end('next', false);
    expect(await delivery.kept({ name: 'v2.raucb', sizeBytes: 1_000, sha256: 'ab' })).toBeUndefined();
    expect(await stored()).toEqual([]);
  });

  it('is given to RAUC as a copy where it cannot stream, which goes at the end', async () => {
    const { delivery, offers, source, stored } = await delivering();
    offers.attach(FROM_CLIENT.id, { read: source.reader().read, close: () => {} });
    const given = await delivery.deliver({ ...FROM_CLIENT, keepBundle: true }, LIVE);
    const kept = await delivery.kept({ name: 'v2.raucb', sizeBytes: 1_000, sha256: 'ab' });
    expect(await readFile(given)).toEqual(CONTENT);
    expect(kept).not.toBe(given);
    await delivery.end(FROM_CLIENT.id, true);
    expect(await stored()).toEqual([basename(kept ?? '')]);
  });

  it('is shown to RAUC all the same when there is no room to keep it', async () => {
    const { delivery, offers, source, server } = await delivering({ canStream: true });
    offers.attach(FROM_CLIENT.id, { read: source.reader().read, close: () => {} });
    const large: Operation = { ...FROM_CLIENT, keepBundle: true, source: { type: 'client', name: '', sizeBytes: 10_001, sha256: 'ab' } };
    expect(await delivery.deliver(large, LIVE)).toBe('http://127.0.0.1:1/secret/bundle.raucb');
    expect(server.served?.sizeBytes).toBe(10_001);
  });

  describe('that other nodes keep', () => {
    const sha256 = createHash('sha256').update(CONTENT).digest('hex');
    const peers = [{ name: 'cellar', address: 'cellar.lan:7443' }];
    const shared: Operation = { ...FROM_CLIENT, source: { type: 'client', name: '', sizeBytes: 1_000, sha256, peers } };
    async function fetching(give: (offset: number, length: number) => readonly Buffer[]) {
      const delivery = await delivering({
        canStream: true,
        readFromPeer: async function* (_peer, _sha256, offset, length) {
          yield* give(offset, length);
        },
      });
      delivery.offers.attach(FROM_CLIENT.id, { read: delivery.source.reader().read, close: () => {} });
      await passing(delivery.clock, delivery.delivery.deliver(shared, LIVE));
      return { ...delivery, content: await collect(delivery.server.served!.read(0, 1_000)), words: delivery.told.map(([what]) => what) };
    }

    it('comes from one of them alone', async () => {
      const { content, source, words } = await fetching((offset, length) => [CONTENT.subarray(offset, offset + length)]);
      expect([content.equals(CONTENT), source.reads]).toEqual([true, []]);
      expect(words).toContain(`${FROM_CLIENT.id}: cellar gave`);
    });

    it('comes from the client where that one leaves off', async () => {
      const { content, source, words } = await fetching((offset) => [CONTENT.subarray(offset, 400)]);
      expect([content.equals(CONTENT), source.reads]).toEqual([true, [[400, 600]]]);
      expect(words).toContain(`${FROM_CLIENT.id}: cellar was left`);
    });

    it('comes anew from the client when what they gave is another file', async () => {
      const { content, source, words } = await fetching((_offset, length) => [Buffer.alloc(length, 'x')]);
      expect([content.equals(CONTENT), source.reads]).toEqual([true, [[0, 1_000]]]);
      expect(words).toContain(`${FROM_CLIENT.id}: cellar was left`);
    });
  });

  it('is shown again for the next update', async () => {
    const { delivery, server } = await delivering({ canStream: true });
    await delivery.deliver(FROM_URL, LIVE);
    await delivery.end(OPERATION.id, false);
    await delivery.deliver(FROM_URL, LIVE);
    expect(await collect(server.served!.read(0, 1_000))).toEqual(CONTENT);
  });
});
