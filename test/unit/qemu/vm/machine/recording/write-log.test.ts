// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstWriteIn, placesIn, replayToLastFlush } from '../../../../../../qemu/vm/machine/recording/write-log.ts';
import { DISCARD, entry, FLUSH, FORCED, head, SECTOR } from '../fakes/log-of-writes.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lamadist-write-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

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

  it('loses at each place of the log what that says of it, from before the first entry to after the last', async () => {
    const [log, disk] = [path.join(folder, 'log'), path.join(folder, 'disk')];
    const entries = [entry(0, 'a'), entry(0, '', FLUSH), entry(1, 'b'), entry(2, 'c', FORCED), entry(1, 'd'), entry(1, 'e', FLUSH)];
    const discarded = entry(0, 'f', DISCARD).subarray(0, SECTOR);
    const all = [...entries, entry(0, 'g'), discarded];
    await writeFile(log, Buffer.concat([head(all.length), ...all]));
    await writeFile(disk, Buffer.alloc(3 * SECTOR));
    const places = await placesIn(log);
    expect(places.map(({ lost }) => lost)).toEqual([0, 1, 0, 1, 1, 2, 0, 1, 1]);
    for (const { logBytes, lost } of places) expect(await replayToLastFlush(log, disk, logBytes)).toMatchObject({ lost });
    const lengths = all.map((_, index) => Buffer.concat([head(0), ...all.slice(0, index + 1)]).length);
    expect(places.map(({ logBytes }) => logBytes)).toEqual([SECTOR, ...lengths]);
  });

  it('refuses a file that is no log of writes', async () => {
    await writeFile(path.join(folder, 'log'), Buffer.alloc(SECTOR));
    await expect(replayToLastFlush(path.join(folder, 'log'), path.join(folder, 'log'))).rejects.toThrow('it does not begin as one');
  });
});
