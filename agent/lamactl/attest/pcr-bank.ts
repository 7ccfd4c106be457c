// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { type Bank, digestBytes } from './tpm/algorithms.ts';

/** PCR values as logs and images say that they must be, by number. */
export type PcrValues = ReadonlyMap<number, Buffer>;

/** Something that a PCR was extended with. */
export interface Extension {
  readonly pcr: number;
  readonly digest: Buffer;
}

/** PCR ← H(PCR ‖ digest): TPM 2.0 Part 1, 17.2.1. */
export function extend(bank: Bank, value: Buffer, digest: Buffer): Buffer {
  return hash(bank, Buffer.concat([value, digest]), 'buffer');
}

export function extendAll(bank: Bank, value: Buffer, digests: readonly Buffer[]): Buffer {
  return digests.reduce((extended, digest) => extend(bank, extended, digest), value);
}

/** What a PCR is after a reset: zero, and in PCR 0 the locality of TPM2_Startup. PCR 0 to 16 and 23, of which 0 to 15 are looked at. */
export function resetValue(bank: Bank, pcr: number, locality: number): Buffer {
  const value = Buffer.alloc(digestBytes(bank));
  if (pcr === 0) value[value.length - 1] = locality;
  return value;
}

/** The values of PCR 0 to 15 after these extensions, in their order. */
export function replay(bank: Bank, extensions: readonly Extension[], locality: number): PcrValues {
  const values = new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, resetValue(bank, pcr, locality)]));
  for (const { pcr, digest } of extensions) {
    const value = values.get(pcr);
    if (value) values.set(pcr, extend(bank, value, digest));
  }
  return values;
}
