// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Clock } from '../timing/clock.ts';
import type { BundleReader, OpenBundle } from './bundle-reader.ts';

/** A client that holds a bundle and answers for parts of it, as long as its connection lasts. */
export interface ClientChannel {
  /** Fails with DOWNLOAD_FAILED when the connection ends: the client may come back. */
  read(offset: number, length: number, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Tells the client that nothing more will be asked for. */
  close(): void;
}

export interface ClientBundle {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
}

/** A laptop may take this long to come back after it was closed, or to change from one network to another. */
const PATIENCE_MS = 60_000;

/** The clients that offer bundles from their own disks, by the operation that each is for. */
export class ClientOffers {
  readonly #clock: Clock;
  readonly #channels = new Map<string, ClientChannel>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on the bundle of this operation is read through the channel. Returns how to take the offer back. */
  attach(operationId: string, channel: ClientChannel): () => void {
    this.#channels.set(operationId, channel);
    for (const wake of this.#waiting.get(operationId) ?? []) wake();
    return () => {
      if (this.#channels.get(operationId) === channel) this.#channels.delete(operationId);
    };
  }

  /** No bundle is needed any longer. */
  end(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  /** How to open the bundle of an operation: waits for its client, for a minute. */
  opener(operationId: string, { sizeBytes, sha256 }: ClientBundle): OpenBundle {
    return async (signal): Promise<BundleReader> => {
      const channel = this.#channels.get(operationId) ?? (await this.#come(operationId, signal));
      return { sizeBytes, validator: sha256, read: (offset, length, readSignal) => channel.read(offset, length, readSignal) };
    };
  }

  async #come(operationId: string, signal: AbortSignal): Promise<ClientChannel> {
    const came = new AbortController();
    const waiting = this.#waiting.get(operationId) ?? new Set();
    const wake = (): void => came.abort();
    this.#waiting.set(operationId, waiting.add(wake));
    try {
      await this.#clock.sleep(PATIENCE_MS, AbortSignal.any([signal, came.signal])).catch(() => signal.throwIfAborted());
    } finally {
      waiting.delete(wake);
      if (waiting.size === 0) this.#waiting.delete(operationId);
    }
    const channel = this.#channels.get(operationId);
    if (channel) return channel;
    throw new Failure('CLIENT_GONE', `Cannot fetch the bundle: the client that has it was away for ${PATIENCE_MS / 1000} s`);
  }
}
