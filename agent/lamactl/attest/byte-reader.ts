// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';

/** TPM structures are big-endian (TPM 2.0 Part 1, 5.4), firmware logs and PE files little-endian. */
export type ByteOrder = 'big' | 'little';

/** Says that bytes are not what they are said to be. `what` names the thing that was to be read, as in "the quote". */
export function unreadable(what: string, found: string): Failure {
  return new Failure('EVIDENCE_INVALID', `Cannot read ${what}: ${found}`, { part: what });
}

/**
 * Reads a byte string from its start to its end, and nothing beyond: every size is compared with what is left before anything
 * is taken, so that no number in the data can make it allocate, wait or read elsewhere. Throws EVIDENCE_INVALID.
 */
export class ByteReader {
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    /** What is read, for messages. */
    readonly what: string,
    private readonly order: ByteOrder,
  ) {}

  get offset(): number {
    return this.at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.bytes.readUInt8(this.step(1));
  }

  u16(): number {
    const at = this.step(2);
    return this.order === 'big' ? this.bytes.readUInt16BE(at) : this.bytes.readUInt16LE(at);
  }

  u32(): number {
    const at = this.step(4);
    return this.order === 'big' ? this.bytes.readUInt32BE(at) : this.bytes.readUInt32LE(at);
  }

  u64(): bigint {
    const at = this.step(8);
    return this.order === 'big' ? this.bytes.readBigUInt64BE(at) : this.bytes.readBigUInt64LE(at);
  }

  /** A view of the next bytes, not a copy. */
  take(sizeBytes: number): Buffer {
    const at = this.step(sizeBytes);
    return this.bytes.subarray(at, at + sizeBytes);
  }

  rest(): Buffer {
    return this.take(this.left);
  }

  /** The bytes between two offsets that were passed already. */
  between(start: number, end: number): Buffer {
    return this.bytes.subarray(start, end);
  }

  /** A count or a size that the data claims, not above what is allowed. */
  limited(value: number, limit: number, name: string): number {
    if (value > limit) throw this.wrong(`${name} is ${value}, and ${limit} is the most that is allowed`);
    return value;
  }

  /** Nothing may follow: what a reader leaves unread, another reader may understand. */
  end(): void {
    if (this.left > 0) throw this.wrong(`${this.left} bytes follow its end`);
  }

  wrong(found: string): Failure {
    return unreadable(this.what, found);
  }

  private step(sizeBytes: number): number {
    if (sizeBytes > this.left) throw this.wrong(`it ends at byte ${this.bytes.length}, and ${sizeBytes} more are needed at ${this.at}`);
    const at = this.at;
    this.at += sizeBytes;
    return at;
  }
}
