// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { Failure } from '../../shared/failure.ts';
import type { Clock } from '../timing/clock.ts';
import type { Operation } from '../update/life/state.ts';
import type { Delivery } from '../update/ports.ts';
import type { BundleAccessStore } from './bundle-access.ts';
import type { BundleReader, OpenBundle } from './bundle-reader.ts';
import type { ClientBundle, ClientOffers } from './client-offers.ts';
import { fillFromPeers, type Peer, type ReadFromPeer, type SharedFile } from './peers.ts';
import { limitRate } from './rate-limit.ts';
import { openPatiently, type Patience, readThrough } from './read-through.ts';
import type { Spool } from './spool.ts';

/** Shows a bundle to RAUC, and to nobody else, at a URL of this node. */
export interface RangeServer {
  /** Resolves with the URL, which answers until close(). */
  serve(sizeBytes: number, read: (offset: number, length: number) => AsyncIterable<Buffer>): Promise<string>;
  close(): Promise<void>;
}

export interface BundleDeliveryParts {
  readonly openUrl: (url: string, operationId: string) => OpenBundle;
  readonly offers: Pick<ClientOffers, 'opener' | 'end'>;
  readonly readFromPeer: ReadFromPeer;
  readonly access: Pick<BundleAccessStore, 'clear' | 'forget'>;
  readonly spool: Spool;
  /** Absent where RAUC cannot stream: then a bundle is brought whole to the disk first. */
  readonly rangeServer?: RangeServer;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told when the source of an operation's bundle has to be waited for. */
  readonly onPause: (operationId: string, why: Failure, pauseMs: number) => void;
  /** Told when another node did not give what it was said to keep. */
  readonly onPeerLeft: (operationId: string, peer: Peer, why: Failure) => void;
  /** Told which other nodes the bundle came from. */
  readonly onPeersGave: (operationId: string, peers: readonly Peer[]) => void;
  readonly onFetched: (operationId: string, bytes: number, sizeBytes: number) => void;
}

/** Brings bundles within RAUC's reach: through a URL that RAUC streams from, part by part as it asks, or onto the disk. */
export class BundleDelivery implements Delivery {
  readonly #parts: BundleDeliveryParts;
  #offered = new AbortController();
  #unread: Failure | undefined;
  /** What belongs to one update must not be taken from the next one. */
  #ending: Promise<unknown> = Promise.resolve();

  constructor(parts: BundleDeliveryParts) {
    this.#parts = parts;
  }

  async deliver(operation: Operation, signal: AbortSignal): Promise<string> {
    const { rangeServer } = this.#parts;
    const { source, id } = operation;
    await this.#ending;
    this.#unread = undefined;
    if (source.type === 'path') return source.path;
    if (source.type === 'client' && (await this.#goesWhole(operation, source))) return this.#deliverWhole(operation, source, signal);
    const open = source.type === 'url' ? this.#parts.openUrl(source.url, id) : this.#parts.offers.opener(id, source);
    const reader = await openPatiently(open, this.#patience(id), signal);
    // What a source cannot tell from other content must not be read in parts.
    if (!rangeServer || reader.validator === '')
      return this.#fill(operation, source.type === 'url' ? source.url : source.sha256, open, reader, signal);
    const read = this.#reading(operation, open, reader);
    const tell = this.#teller(id, reader.sizeBytes);
    tell(0);
    let bytes = 0;
    // RAUC reads while it installs, long after the delivery itself is done.
    const whileOffered = this.#offered.signal;
    const counted = async function* (pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
      for await (const piece of pieces) {
        bytes += piece.length;
        tell(bytes);
        yield piece;
      }
    };
    return rangeServer.serve(reader.sizeBytes, (offset, length) => this.#remembering(counted(read(offset, length, whileOffered))));
  }

  /** What other nodes give, or is kept for them, has to be on the disk; where there is no room for it, the update matters more. */
  async #goesWhole({ keepBundle }: Operation, { sizeBytes, peers = [] }: SharedFile): Promise<boolean> {
    const { spool, rangeServer } = this.#parts;
    if (keepBundle !== true && peers.length === 0) return false;
    return spool.fits(keepBundle === true && !rangeServer ? 2 * sizeBytes : sizeBytes);
  }

  async #deliverWhole(operation: Operation, file: SharedFile, signal: AbortSignal): Promise<string> {
    const { spool, rangeServer, offers, readFromPeer, random, onPeerLeft, onPeersGave } = this.#parts;
    const { id } = operation;
    const client = offers.opener(id, file);
    const fill = async (open: OpenBundle) =>
      this.#fill(operation, file.sha256, open, await openPatiently(open, this.#patience(id), signal), signal);
    const path = await fillFromPeers(file, client, {
      fill,
      read: readFromPeer,
      random,
      clear: () => spool.clear(),
      onLeft: (peer, why) => onPeerLeft(id, peer, why),
      onGave: (peers) => onPeersGave(id, peers),
    });
    if (rangeServer) return rangeServer.serve(file.sizeBytes, (offset, length) => readFileRange(path, offset, length));
    return operation.keepBundle === true ? spool.copy(path) : path;
  }

  #patience(id: string): Patience {
    const { clock, random, onPause } = this.#parts;
    return { clock, random, onPause: (why, pauseMs) => onPause(id, why, pauseMs) };
  }

  #reading({ id, bytesPerSecond }: Operation, open: OpenBundle, reader: BundleReader) {
    const throttle = limitRate(bytesPerSecond, this.#parts.clock);
    return (offset: number, length: number, signal: AbortSignal) =>
      throttle(readThrough(reader, open, offset, length, this.#patience(id), signal), signal);
  }

  /** Brings a bundle whole to the disk; resolves with its path. */
  #fill(operation: Operation, name: string, open: OpenBundle, reader: BundleReader, signal: AbortSignal): Promise<string> {
    const read = this.#reading(operation, open, reader);
    const rest = (offset: number) => read(offset, reader.sizeBytes - offset, signal);
    return this.#parts.spool.fill(name, reader, rest, this.#teller(operation.id, reader.sizeBytes), signal);
  }

  /** The path of a file that was kept; undefined when it is not there. */
  kept(file: ClientBundle): Promise<string | undefined> {
    return this.#parts.spool.find(file.sha256, { sizeBytes: file.sizeBytes, validator: file.sha256 });
  }

  /** Whoever reads sees a connection that breaks, and not why. */
  async *#remembering(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    try {
      yield* pieces;
      this.#unread = undefined;
    } catch (error) {
      if (error instanceof Failure) this.#unread = error;
      throw error;
    }
  }

  whyUnread(): Failure | undefined {
    return this.#unread;
  }

  end(operationId: string, keepBundle: boolean): Promise<void> {
    return this.#settle(() => this.#parts.access.forget(operationId), keepBundle);
  }

  sweep(keepBundle: boolean): Promise<void> {
    return this.#settle(() => this.#parts.access.clear(), keepBundle);
  }

  #settle(forget: () => Promise<void>, keepBundle: boolean): Promise<void> {
    const ending = this.#ending.then(async () => {
      this.#unread = undefined;
      this.#offered.abort();
      this.#offered = new AbortController();
      this.#parts.offers.end();
      await forget();
      await this.#parts.rangeServer?.close();
      await this.#parts.spool.removeCopies();
      if (!keepBundle) await this.#parts.spool.clear();
    });
    this.#ending = ending.catch(() => undefined);
    return ending;
  }

  /** Tells of every further hundredth of the bundle, not of every piece. */
  #teller(operationId: string, sizeBytes: number): (bytes: number) => void {
    let told = -1;
    return (read) => {
      // RAUC reads some of a bundle twice: to inspect it, and to install it.
      const bytes = Math.min(read, sizeBytes);
      const hundredths = Math.floor((bytes * 100) / sizeBytes);
      if (hundredths === told) return;
      told = hundredths;
      this.#parts.onFetched(operationId, bytes, sizeBytes);
    };
  }
}

function readFileRange(path: string, offset: number, length: number): AsyncIterable<Buffer> {
  return createReadStream(path, { start: offset, end: offset + length - 1 });
}
