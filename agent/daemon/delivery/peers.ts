// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { fileSha256 } from '../../shared/file-hash.ts';
import type { OpenBundle } from './bundle-reader.ts';
import type { ClientBundle } from './client-offers.ts';

/** Another node of the fleet. */
export interface Peer {
  /** As its certificate says it. */
  readonly name: string;
  /** host:port. */
  readonly address: string;
}

/** A part of a file that another node keeps. Fails with DOWNLOAD_FAILED. */
export type ReadFromPeer = (peer: Peer, sha256: string, offset: number, length: number, signal: AbortSignal) => AsyncIterable<Buffer>;

/** So many are tried: the client has its turn before the patience with the source is over. */
const TRIED = 3;

/** A file of a client's that some nodes are said to keep. */
export type SharedFile = ClientBundle & { readonly peers?: readonly Peer[] | undefined };

export interface PeerParts {
  readonly read: ReadFromPeer;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onLeft: (peer: Peer, why: Failure) => void;
}

export interface FillParts extends PeerParts {
  /** Brings what a source gives whole to the disk, after what is there of it already; resolves with the path. */
  readonly fill: (open: OpenBundle) => Promise<string>;
  /** Removes what is there. */
  readonly clear: () => Promise<void>;
  readonly onGave: (peers: readonly Peer[]) => void;
}

/**
 * Brings a file to the disk: from one of the nodes that keep it as long as that one gives, then from another, and at last from the client.
 * A part of another file would fail the update, and be gone on with: what nodes gave is held against the file's SHA-256, and fetched anew
 * from the client when it is something else.
 */
export async function fillFromPeers(file: SharedFile, client: OpenBundle, parts: FillParts): Promise<string> {
  const { peers = [] } = file;
  if (peers.length === 0) return parts.fill(client);
  const { open, gave } = peersFirst(file, client, parts);
  try {
    const path = await parts.fill(open);
    if ((await fileSha256(path)) === file.sha256) {
      if (gave.size > 0) parts.onGave([...gave]);
      return path;
    }
  } catch (error) {
    if (gave.size > 0) await parts.clear();
    throw error;
  }
  const other = new Failure('BUNDLE_CHANGED', 'Cannot use what came from other nodes: it is another file than the one that was asked for');
  for (const peer of gave) parts.onLeft(peer, other);
  await parts.clear();
  return parts.fill(client);
}

/** How to open such a file, and which nodes gave of it. */
export function peersFirst({ sizeBytes, sha256, peers = [] }: SharedFile, client: OpenBundle, { read, random, onLeft }: PeerParts) {
  // Each node asks others than its neighbours do.
  const left = new Set(shuffled(peers, random).slice(0, TRIED));
  const gave = new Set<Peer>();
  const open: OpenBundle = async (signal) => {
    const [peer] = left;
    if (!peer) return client(signal);
    const leave = (why: Failure): Failure => {
      if (left.delete(peer)) onLeft(peer, why);
      return new Failure('DOWNLOAD_FAILED', why.message, why.facts, { cause: why });
    };
    const took = (): void => void gave.add(peer);
    return {
      sizeBytes,
      validator: sha256,
      read: (offset, length, readSignal) => whole(read(peer, sha256, offset, length, readSignal), length, { took, leave }, readSignal),
    };
  };
  return { open, gave };
}

interface Trial {
  /** Told of each piece. */
  readonly took: () => void;
  /** Told why the node is asked no more; returns the failure of the read. */
  readonly leave: (why: Failure) => Failure;
}

/** Gives so many bytes, or fails in the words of `leave`. */
async function* whole(pieces: AsyncIterable<Buffer>, length: number, { took, leave }: Trial, signal: AbortSignal): AsyncIterable<Buffer> {
  let leftBytes = length;
  try {
    for await (const piece of pieces) {
      leftBytes -= piece.length;
      if (leftBytes < 0) throw new Failure('DOWNLOAD_FAILED', 'Cannot fetch the bundle: another node gave more than was asked for');
      took();
      yield piece;
    }
    if (leftBytes > 0) throw new Failure('DOWNLOAD_FAILED', `Cannot fetch the bundle: another node left out ${leftBytes} bytes`);
  } catch (error) {
    signal.throwIfAborted();
    throw leave(Failure.from(error));
  }
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item];
  }
  return mixed;
}
