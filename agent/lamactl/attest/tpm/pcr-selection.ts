// SPDX-License-Identifier: Apache-2.0
import type { ByteReader } from '../byte-reader.ts';

/** TPMS_PCR_SELECTION: TPM 2.0 Part 2, 10.6.2. */
export interface PcrSelection {
  readonly algorithm: number;
  /** In ascending order: the order in which a quote's digest takes them (Part 3, TPM2_Quote). */
  readonly pcrs: readonly number[];
}

/** Far above HASH_COUNT of any TPM. */
const BANKS_LIMIT = 16;
/** Room for PCR 0 to 31; a PC Client TPM has 24. */
const BITMAP_LIMIT_BYTES = 4;

/** Reads TPML_PCR_SELECTION: Part 2, 10.9.7. All of its banks, for what is chosen must be compared whole. */
export function readPcrSelections(reader: ByteReader): readonly PcrSelection[] {
  const count = reader.limited(reader.u32(), BANKS_LIMIT, 'the number of PCR banks');
  return Array.from({ length: count }, () => {
    const algorithm = reader.u16();
    const bitmap = reader.take(reader.limited(reader.u8(), BITMAP_LIMIT_BYTES, 'the size of a PCR selection'));
    return { algorithm, pcrs: chosen(bitmap) };
  });
}

function chosen(bitmap: Buffer): readonly number[] {
  return [...bitmap].flatMap((octet, index) => [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => octet & (1 << bit)).map((bit) => index * 8 + bit));
}
