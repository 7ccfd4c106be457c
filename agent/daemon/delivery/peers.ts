// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
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

export interface PeerParts {
  readonly read: ReadFromPeer;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onLeft: (peer: Peer, why: Failure) => void;
}

/**
 * How to open a file that some nodes are said to keep: from one of them as long as it gives, then from another, and at last from the
 * client. What they give is believed no more than what a client gives: RAUC verifies the bundle.
 */
export function peersFirst(
  { sizeBytes, sha256, peers = [] }: ClientBundle & { readonly peers?: readonly Peer[] | undefined },
  client: OpenBundle,
  { read, random, onLeft }: PeerParts,
): OpenBundle {
  // Each node asks others than its neighbours do.
  const left = new Set(shuffled(peers, random).slice(0, TRIED));
  return async (signal) => {
    const [peer] = left;
    if (!peer) return client(signal);
    const leave = (why: Failure): Failure => {
      if (left.delete(peer)) onLeft(peer, why);
      return new Failure('DOWNLOAD_FAILED', why.message, why.facts, { cause: why });
    };
    return {
      sizeBytes,
      validator: sha256,
      read: (offset, length, readSignal) => whole(read(peer, sha256, offset, length, readSignal), length, leave, readSignal),
    };
  };
}

/** Gives so many bytes, or fails in the words of `leave`. */
async function* whole(
  pieces: AsyncIterable<Buffer>,
  length: number,
  leave: (why: Failure) => Failure,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  let leftBytes = length;
  try {
    for await (const piece of pieces) {
      leftBytes -= piece.length;
      if (leftBytes < 0) throw new Failure('DOWNLOAD_FAILED', 'Cannot fetch the bundle: another node gave more than was asked for');
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
