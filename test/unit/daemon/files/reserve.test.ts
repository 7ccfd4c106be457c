// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Reserve } from '../../../../agent/daemon/files/reserve.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { temporaryFolder } from '../../fakes/folder.ts';

const SIZE_BYTES = 64 << 10;
const FULL = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

async function reserveIn(folder: string): Promise<Reserve> {
  const reserve = new Reserve(join(folder, 'reserve'), SIZE_BYTES);
  await reserve.hold();
  return reserve;
}

describe('a reserve of space', () => {
  it('is on the disk, once, as large as it was asked for', async () => {
    const folder = await temporaryFolder();
    await (await reserveIn(folder)).hold();
    expect(await readdir(folder)).toEqual(['reserve']);
    const { size, blocks } = await stat(join(folder, 'reserve'));
    expect({ size, taken: blocks * 512 >= SIZE_BYTES }).toEqual({ size: SIZE_BYTES, taken: true });
  });

  it('is given up for a write that the disk had no space for, once, and held again', async () => {
    const folder = await temporaryFolder();
    const reserve = await reserveIn(folder);
    const failure = new Failure('JOURNAL_UNWRITABLE', 'Cannot write the journal', {}, { cause: FULL });
    expect(await reserve.spend(failure)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
    expect(await reserve.spend(failure)).toBe(false);
    await reserve.hold();
    expect(await reserve.spend(FULL)).toBe(true);
  });

  it('is kept when a write failed for another reason', async () => {
    const folder = await temporaryFolder();
    const reserve = await reserveIn(folder);
    expect(await reserve.spend(Object.assign(new Error('input/output error'), { code: 'EIO' }))).toBe(false);
    expect(await readdir(folder)).toEqual(['reserve']);
  });

  it('cannot be held where nothing can be written', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'reserve.tmp'));
    await expect(new Reserve(join(folder, 'reserve'), SIZE_BYTES).hold()).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
  });

  it('cannot be held when as much is not free beside it', async () => {
    const folder = await temporaryFolder();
    const reserve = new Reserve(join(folder, 'reserve'), SIZE_BYTES, async () => ({ bavail: 1, bsize: 4096 }));
    await expect(reserve.hold()).rejects.toMatchObject({
      code: 'JOURNAL_UNWRITABLE',
      message: 'Cannot keep space for the journal: 4096 bytes are free and 65536 are needed',
    });
  });
});
