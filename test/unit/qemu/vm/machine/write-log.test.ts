// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstWriteIn, replayToLastFlush } from '../../../../../qemu/vm/machine/write-log.ts';

const SECTOR = 512;
const [FLUSH, FORCED] = [1n, 2n];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lamadist-write-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function head(entries: number): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.writeBigUInt64LE(0x6a_73_66_77_73_68_72n, 0);
  sector.writeBigUInt64LE(1n, 8);
  sector.writeBigUInt64LE(BigInt(entries), 16);
  sector.writeUInt32LE(SECTOR, 24);
  return sector;
}

function entry(sectorNumber: number, text: string, flags = 0n): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.writeBigUInt64LE(BigInt(sectorNumber), 0);
  sector.writeBigUInt64LE(text === '' ? 0n : 1n, 8);
  sector.writeBigUInt64LE(flags, 16);
  return Buffer.concat(text === '' ? [sector] : [sector, Buffer.alloc(SECTOR, text)]);
}

/** What a disk of three sectors of dots holds after a power cut: the first letter of each. */
async function afterCut(...entries: Buffer[]): Promise<string> {
  const [log, disk] = [path.join(folder, 'log'), path.join(folder, 'disk')];
  await writeFile(log, Buffer.concat([head(entries.length), ...entries]));
  await writeFile(disk, Buffer.alloc(3 * SECTOR, '.'));
  await replayToLastFlush(log, disk);
  const content = await readFile(disk, 'latin1');
  return [0, 1, 2].map((sector) => content[sector * SECTOR]).join('');
}

describe('a power cut of a virtual disk', () => {
  it('keeps what was flushed, and loses what came after the last flush', async () => {
    expect(await afterCut(entry(0, 'a'), entry(0, '', FLUSH), entry(1, 'b'))).toBe('a..');
  });

  it('keeps the last of two writes to one place, when both were flushed', async () => {
    expect(await afterCut(entry(2, 'a'), entry(2, 'b'), entry(0, '', FLUSH))).toBe('..b');
  });

  it('keeps what was forced through the cache after the last flush, alone', async () => {
    expect(await afterCut(entry(0, 'a'), entry(1, 'b', FORCED))).toBe('.b.');
  });

  it('comes when the log has so many octets, if that is said', async () => {
    const [log, disk] = [path.join(folder, 'log'), path.join(folder, 'disk')];
    const flushed = [entry(0, 'a'), entry(0, '', FLUSH)];
    await writeFile(log, Buffer.concat([head(4), ...flushed, entry(1, 'b'), entry(0, '', FLUSH)]));
    await writeFile(disk, Buffer.alloc(3 * SECTOR, '.'));
    expect(await replayToLastFlush(log, disk, SECTOR + Buffer.concat(flushed).length)).toEqual({ kept: 1, lost: 0 });
    expect((await readFile(disk, 'latin1'))[SECTOR]).toBe('.');
  });

  it('can be told from the first write to a part of the disk, wherever else was written to', async () => {
    const log = path.join(folder, 'log');
    const before = [entry(0, 'a'), entry(2, 'b'), entry(1, '', FLUSH)];
    await writeFile(log, Buffer.concat([head(5), ...before, entry(1, 'c'), entry(1, 'd')]));
    const sector = (offset: number) => ({ offsetBytes: offset * SECTOR, sizeBytes: SECTOR });
    expect(await firstWriteIn(log, sector(1))).toBe(SECTOR + Buffer.concat(before).length);
    expect(await firstWriteIn(log, sector(3))).toBeUndefined();
  });

  it('refuses a file that is no log of writes', async () => {
    await writeFile(path.join(folder, 'log'), Buffer.alloc(SECTOR));
    await expect(replayToLastFlush(path.join(folder, 'log'), path.join(folder, 'log'))).rejects.toThrow('it does not begin as one');
  });
});
