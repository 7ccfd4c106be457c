// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { Failure } from '../../../shared/failure.ts';
import type { CurrentBoot } from '../../update/ports.ts';

/** The boot that this process runs in: the kernel's boot id, and the slot that the boot loader named on the command line. */
export async function currentBoot(procFolder = '/proc'): Promise<CurrentBoot> {
  const bootId = (await readFile(`${procFolder}/sys/kernel/random/boot_id`, 'utf8')).trim();
  const bootname = / rauc\.slot=(\S+)/.exec(` ${await readFile(`${procFolder}/cmdline`, 'utf8')}`)?.[1];
  if (bootname === undefined) {
    throw new Failure('CONFIG_INVALID', 'Cannot tell the booted slot: the kernel command line has no rauc.slot=');
  }
  return { bootId, bootname };
}
