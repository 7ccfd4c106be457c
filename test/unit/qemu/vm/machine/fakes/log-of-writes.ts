// SPDX-License-Identifier: Apache-2.0

/** A log of writes as QEMU's blklogwrites makes it: a head, and entries. */
export const SECTOR = 512;
export const [FLUSH, FORCED, DISCARD] = [1n, 2n, 4n];

export function head(entries: number): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.writeBigUInt64LE(0x6a_73_66_77_73_68_72n, 0);
  sector.writeBigUInt64LE(1n, 8);
  sector.writeBigUInt64LE(BigInt(entries), 16);
  sector.writeUInt32LE(SECTOR, 24);
  return sector;
}

/** A sector full of one letter, or nothing at all. */
export function entry(sectorNumber: number, text: string, flags = 0n): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.writeBigUInt64LE(BigInt(sectorNumber), 0);
  sector.writeBigUInt64LE(text === '' ? 0n : 1n, 8);
  sector.writeBigUInt64LE(flags, 16);
  return Buffer.concat(text === '' ? [sector] : [sector, Buffer.alloc(SECTOR, text)]);
}
