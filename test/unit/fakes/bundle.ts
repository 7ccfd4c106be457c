// SPDX-License-Identifier: Apache-2.0
import type { BundleReader, OpenBundle } from '../../../agent/daemon/delivery/bundle-reader.ts';
import { Failure } from '../../../agent/shared/failure.ts';

export const BROKEN_OFF = new Failure('DOWNLOAD_FAILED', 'Cannot fetch the bundle: the connection ended half-way');

/** A source in memory, which can be made to break off, to stay away, and to hold something else. */
export class FakeSource {
  content: Buffer;
  validator = '"1"';
  pieceBytes = 10;
  /** For each read in turn, what it gives before it breaks off; those that follow give all. */
  readonly breaks: number[] = [];
  /** Thrown by the next attempts to open it. */
  readonly away: Failure[] = [];
  opened = 0;
  /** What was asked for: offset and length of each read. */
  readonly reads: [number, number][] = [];

  constructor(content: Buffer) {
    this.content = content;
  }

  readonly open: OpenBundle = async (signal) => {
    signal.throwIfAborted();
    this.opened += 1;
    const failure = this.away.shift();
    if (failure) throw failure;
    return this.reader();
  };

  reader(): BundleReader {
    const { content, validator } = this;
    return { sizeBytes: content.length, validator, read: (offset, length, signal) => this.#read(offset, length, signal) };
  }

  async *#read(offset: number, length: number, signal: AbortSignal): AsyncIterable<Buffer> {
    this.reads.push([offset, length]);
    const breakAt = offset + (this.breaks.shift() ?? Number.POSITIVE_INFINITY);
    for (let at = offset; at < offset + length; at += this.pieceBytes) {
      signal.throwIfAborted();
      if (at >= breakAt) throw BROKEN_OFF;
      yield this.content.subarray(at, Math.min(at + this.pieceBytes, offset + length));
    }
  }
}

export async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
