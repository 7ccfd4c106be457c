// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';
import { type Bank, digestBytes } from './algorithms.ts';

/** KDFa, a counter-mode KDF over HMAC: TPM 2.0 Part 1, 11.4.10.2. At most as many bytes as the hash has: all that is needed here. */
export function kdfA(hash: Bank, key: Buffer, label: string, context: Buffer, sizeBytes: number): Buffer {
  const message = Buffer.concat([u32(1), terminated(label), context, u32(sizeBytes * 8)]);
  return atMost(createHmac(hash, key).update(message).digest(), hash, sizeBytes);
}

/** KDFe, a KDF over a point that two keys agreed on: Part 1, 11.4.10.3. At most as many bytes as the hash has. */
export function kdfE(hash: Bank, z: Buffer, label: string, partyU: Buffer, partyV: Buffer, sizeBytes: number): Buffer {
  const message = Buffer.concat([u32(1), z, terminated(label), partyU, partyV]);
  return atMost(createHash(hash).update(message).digest(), hash, sizeBytes);
}

/** Labels are followed by a zero octet: Part 1, 11.4.10.2, and B.4 for OAEP. */
export function terminated(label: string): Buffer {
  return Buffer.from(`${label}\0`, 'ascii');
}

function atMost(block: Buffer, hash: Bank, sizeBytes: number): Buffer {
  if (sizeBytes > digestBytes(hash)) throw new RangeError(`one block of ${hash} has no ${sizeBytes} bytes`);
  return block.subarray(0, sizeBytes);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
