// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { currentBoot } from '../../../../../agent/daemon/platform/linux/current-boot.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const BOOT_ID = '11111111-1111-4111-8111-111111111111';

/** A /proc of a kernel that was started with this command line. */
async function proc(commandLine: string): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'sys/kernel/random'), { recursive: true });
  await writeFile(join(folder, 'sys/kernel/random/boot_id'), `${BOOT_ID}\n`);
  await writeFile(join(folder, 'cmdline'), `${commandLine}\n`);
  return folder;
}

describe('the current boot', () => {
  it.each(['rauc.slot=B', 'quiet rauc.slot=B ro', 'root=/dev/vda2 rauc.slot=B', 'xrauc.slot=A rauc.slot=B'])(
    'is known from "%s"',
    async (commandLine) => {
      expect(await currentBoot(await proc(commandLine))).toEqual({ bootId: BOOT_ID, bootname: 'B' });
    },
  );

  it.each(['', 'quiet', 'rauc.slot=', 'rauc.slot= B', 'xrauc.slot=B', 'rauc-slot=B', 'RAUC.SLOT=B'])(
    'cannot be told from "%s"',
    async (commandLine) => {
      await expect(currentBoot(await proc(commandLine))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );
});
