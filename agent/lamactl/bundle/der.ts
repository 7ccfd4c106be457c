// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';

/** One value of DER: X.690, 8.1 and 10.1. */
export interface Der {
  readonly tag: number;
  /** What is in it. */
  readonly content: Buffer;
  /** All of it, tag and length too. */
  readonly whole: Buffer;
}

export const TAG = { oid: 0x06, octets: 0x04, sequence: 0x30, set: 0x31, context0: 0xa0, context1: 0xa1 } as const;

export function badDer(found: string): Failure {
  return new Failure('BUNDLE_INVALID', `Cannot read the signature of the bundle: ${found}`);
}

/** The values that follow each other in some bytes, and nothing else. Throws BUNDLE_INVALID. */
export function readDer(bytes: Buffer): readonly Der[] {
  const values: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const value = readOne(bytes.subarray(at));
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

function readOne(bytes: Buffer): Der {
  const [tag = 0, first = 0x80] = bytes;
  if ((tag & 0x1f) === 0x1f) throw badDer('it has a tag of more than one byte');
  // 0x80 says that the length comes at the end: that is BER, and no DER.
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || octets > 4 || bytes.length < 2 + octets) throw badDer('a length in it is none');
  const length = octets === 0 ? first : bytes.readUIntBE(2, octets);
  const start = 2 + octets;
  if (length > bytes.length - start) throw badDer('it ends within a value');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

/** A value that must have this tag. */
export function expectTag(value: Der | undefined, tag: number): Buffer {
  if (value?.tag !== tag) throw badDer(`a value with tag 0x${tag.toString(16)} is not where it should be`);
  return value.content;
}
