// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises';

/** The format of the kernel's dm-log-writes, which QEMU's blklogwrites writes: little endian, in sectors of 512 octets. */
const MAGIC = 0x6a_73_66_77_73_68_72n;
const SECTOR = 512;
const FLUSH = 1n;
const FORCE_UNIT_ACCESS = 2n;
const DISCARD = 4n;

interface Entry {
  readonly sector: bigint;
  readonly sectors: bigint;
  readonly flags: bigint;
  /** Where its data begins in the log. */
  readonly at: number;
}

export interface Replay {
  readonly kept: number;
  readonly lost: number;
}

/**
 * Brings a disk from the state before the log to the one that a power cut leaves: what was written before the last flush, and
 * afterwards only what was forced through the cache. The power is cut when the log has `limitBytes`: at its end, unless that
 * says otherwise. Returns how many writes were kept, and how many are gone.
 */
export async function replayToLastFlush(log: string, disk: string, limitBytes = Number.POSITIVE_INFINITY): Promise<Replay> {
  const source = await open(log, 'r');
  const target = await open(disk, 'r+');
  try {
    const entries = await readEntries(source, limitBytes);
    const lastFlush = entries.findLastIndex(({ flags }) => (flags & FLUSH) !== 0n);
    const writes = entries.map((entry, index) => ({ entry, index })).filter(({ entry }) => isWrite(entry));
    const kept = writes.filter(({ entry, index }) => index <= lastFlush || (entry.flags & FORCE_UNIT_ACCESS) !== 0n);
    for (const { entry } of kept) await copy(source, entry.at, target, Number(entry.sector) * SECTOR, Number(entry.sectors) * SECTOR);
    await target.sync();
    return { kept: kept.length, lost: writes.length - kept.length };
  } finally {
    await source.close();
    await target.close();
  }
}

/** Between two entries of a log, before the first, or after the last. */
export interface Place {
  /** How long the log was then. */
  readonly logBytes: number;
  /** How many writes a power cut there would lose. */
  readonly lost: number;
}

/** Every place of a log, in its order, with what replayToLastFlush() would find lost there. */
export async function placesIn(log: string): Promise<readonly Place[]> {
  const source = await open(log, 'r');
  try {
    let lost = 0;
    const entries = await readEntries(source, Number.POSITIVE_INFINITY);
    const after = entries.map((entry) => {
      if ((entry.flags & FLUSH) !== 0n) lost = 0;
      else if (isWrite(entry) && (entry.flags & FORCE_UNIT_ACCESS) === 0n) lost += 1;
      return { logBytes: endOf(entry), lost };
    });
    return [{ logBytes: SECTOR, lost: 0 }, ...after];
  } finally {
    await source.close();
  }
}

/** How long the log was when something was first written to a part of the disk; undefined when nothing was. */
export async function firstWriteIn(
  log: string,
  part: { readonly offsetBytes: number; readonly sizeBytes: number },
): Promise<number | undefined> {
  const source = await open(log, 'r');
  try {
    const [from, to] = [part.offsetBytes / SECTOR, (part.offsetBytes + part.sizeBytes) / SECTOR];
    const entries = await readEntries(source, Number.POSITIVE_INFINITY);
    const first = entries.find((entry) => isWrite(entry) && entry.sector >= from && entry.sector < to);
    return first && first.at - SECTOR;
  } finally {
    await source.close();
  }
}

const isWrite = ({ sectors, flags }: Entry): boolean => sectors > 0n && (flags & DISCARD) === 0n;

/** Where the next entry begins in the log. */
const endOf = ({ sectors, flags, at }: Entry): number => ((flags & DISCARD) === 0n ? at + Number(sectors) * SECTOR : at);

async function readEntries(log: FileHandle, limitBytes: number): Promise<Entry[]> {
  const buffer = Buffer.alloc(SECTOR);
  await log.read(buffer, 0, SECTOR, 0);
  if (buffer.readBigUInt64LE(0) !== MAGIC) throw new Error('Cannot read the log of writes: it does not begin as one');
  const sizeBytes = Math.min((await log.stat()).size, limitBytes);
  const count = buffer.readBigUInt64LE(16);
  const entries: Entry[] = [];
  let at = SECTOR;
  // Entries after the last one that the head counts were never followed by a flush.
  for (let number = 0n; number < count && at + SECTOR <= sizeBytes; number += 1n) {
    await log.read(buffer, 0, SECTOR, at);
    const [sector, sectors, flags] = [buffer.readBigUInt64LE(0), buffer.readBigUInt64LE(8), buffer.readBigUInt64LE(16)];
    const entry = { sector, sectors, flags, at: at + SECTOR };
    entries.push(entry);
    at = endOf(entry);
  }
  return entries;
}

const CHUNK = 1 << 20;

async function copy(source: FileHandle, from: number, target: FileHandle, to: number, length: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length));
  for (let done = 0; done < length; ) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(CHUNK, length - done), from + done);
    if (bytesRead === 0) throw new Error('Cannot read the log of writes: it ends in the middle of one');
    await target.write(buffer, 0, bytesRead, to + done);
    done += bytesRead;
  }
}
