// SPDX-License-Identifier: Apache-2.0
// What U-Boot's boot command does with the slots of a Rockchip board, step by step: its words are those of a shell, and U-Boot's
// own commands are played by functions. `load` finds the UKIs of some slots; `bootefi` is a kernel that starts.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const SETTINGS = path.join(import.meta.dirname, '../../meta-lamadist/boards/recipes-bsp/u-boot/files/lamadist.cfg');
const COMMANDS = `
setenv() { eval "$1=\\\${2-}"; }
setexpr() { eval "$1=$(($2 $3 $4))"; }
saveenv() { saved="$BOOT_ORDER $BOOT_A_LEFT $BOOT_B_LEFT"; }
load() { case " $found " in *" $slot "*) echo "load $4" ;; *) return 1 ;; esac; }
bootefi() { echo "start $slot, saved: $saved"; exit; }
reset() { echo "reset, saved: $saved"; exit; }
`;

interface Environment {
  readonly BOOT_ORDER?: string;
  readonly BOOT_A_LEFT?: number;
  readonly BOOT_B_LEFT?: number;
}

/** What U-Boot does with these variables when the disk has the UKIs of `found`. */
async function powerOn(environment: Environment, found: readonly string[] = ['a', 'b']): Promise<string[]> {
  const [, quoted = ''] = /^CONFIG_BOOTCOMMAND="(.*)"$/m.exec(await readFile(SETTINGS, 'utf8')) ?? [];
  const command = quoted.replaceAll('\\"', '"');
  const variables = Object.entries(environment).map(([name, value]) => `${name}="${value}"\n`);
  const script = `${COMMANDS}found="${found.join(' ')}"\n${variables.join('')}${command}`;
  const { stdout } = await execa('sh', ['-c', script], { env: {}, extendEnv: false });
  return stdout.split('\n').filter((line) => !line.startsWith('load'));
}

describe('the boot command of the Rockchip boards', () => {
  it('starts slot A of a new disk, and has counted the try before it does', async () => {
    expect(await powerOn({})).toEqual(['start a, saved: A B 2 3']);
  });

  it('starts the slot that RAUC put first', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 3 })).toEqual(['start b, saved: B A 3 2']);
  });

  it('goes back to the other slot when the first has no tries left', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 0 })).toEqual(['start a, saved: B A 2 0']);
  });

  it('goes on to the other slot at once when the first cannot be read', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 3 }, ['a'])).toEqual(['start a, saved: B A 2 2']);
  });

  it('never starts a slot that RAUC marked bad', async () => {
    expect(await powerOn({ BOOT_ORDER: 'A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 0 }, ['b'])).toEqual(['reset, saved: A 3 3']);
  });

  it('gives every slot new tries when none has any, rather than stop', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 0, BOOT_B_LEFT: 0 })).toEqual(['reset, saved: B A 3 3']);
  });
});
