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
fdt() { [ "$1" != get ] || case $4 in /chosen) eval "$3=$first_stage"; [ -n "$first_stage" ] ;; *) eval "$3=$card_path"; [ -n "$card_path" ] ;; esac; }
saveenv() { saved="$BOOT_ORDER $BOOT_A_LEFT $BOOT_B_LEFT"; }
load() { disk=\${2%#*}; case " $found " in *" $disk:$slot "*) ;; *) return 1 ;; esac; }
bootefi() { echo "start $disk:$slot, saved: $saved"; exit; }
reset() { echo "reset, saved: $saved"; exit; }
`;

interface Environment {
  readonly BOOT_ORDER?: string;
  readonly BOOT_A_LEFT?: number;
  readonly BOOT_B_LEFT?: number;
}

/** What the device tree of a SOQuartz says of its disks, and its first stage of where it found U-Boot. */
const EMMC = '/mmc@fe310000';
const CARD = '/mmc@fe2b0000';
const ON_EMMC = ['0:a', '0:b'];
const ON_CARD = ['1:a', '1:b'];

/** What U-Boot does with these variables when the disks have these UKIs, each a disk's number and a slot. */
async function powerOn(environment: Environment, found = ON_EMMC, tree = { firstStage: EMMC, card: CARD }): Promise<string> {
  const [, quoted = ''] = /^CONFIG_BOOTCOMMAND="(.*)"$/m.exec(await readFile(SETTINGS, 'utf8')) ?? [];
  const command = quoted.replaceAll('\\"', '"');
  const played = { ...environment, found: found.join(' '), first_stage: tree.firstStage, card_path: tree.card };
  const variables = Object.entries(played).map(([name, value]) => `${name}="${value}"\n`);
  const { stdout } = await execa('sh', ['-c', `${COMMANDS}${variables.join('')}${command}`], { env: {}, extendEnv: false });
  return stdout;
}

describe('the boot command of the Rockchip boards', () => {
  it('starts slot A of a new disk, and has counted the try before it does', async () => {
    expect(await powerOn({})).toBe('start 0:a, saved: A B 2 3');
  });

  it('starts the slot that RAUC put first', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 3 })).toBe('start 0:b, saved: B A 3 2');
  });

  it('goes back to the other slot when the first has no tries left', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 0 })).toBe('start 0:a, saved: B A 2 0');
  });

  it('goes on to the other slot at once when the first cannot be read', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 3 }, ['0:a'])).toBe('start 0:a, saved: B A 2 2');
  });

  it('never starts a slot that RAUC marked bad', async () => {
    expect(await powerOn({ BOOT_ORDER: 'A', BOOT_A_LEFT: 3, BOOT_B_LEFT: 0 }, ['0:b'])).toBe('reset, saved: A 3 3');
  });

  it('gives every slot new tries when none has any, rather than stop', async () => {
    expect(await powerOn({ BOOT_ORDER: 'B A', BOOT_A_LEFT: 0, BOOT_B_LEFT: 0 })).toBe('reset, saved: B A 3 3');
  });

  it('starts from the card when U-Boot itself was on it, whatever eMMC holds', async () => {
    const tree = { firstStage: CARD, card: CARD };
    expect(await powerOn({}, [...ON_EMMC, ...ON_CARD], tree)).toBe('start 1:a, saved: A B 2 3');
    expect(await powerOn({}, ON_EMMC, tree)).toBe('reset, saved: A B 3 3');
  });

  it('starts from eMMC when U-Boot itself was on it, whatever a card holds', async () => {
    expect(await powerOn({}, [...ON_EMMC, ...ON_CARD])).toBe('start 0:a, saved: A B 2 3');
    expect(await powerOn({}, ON_CARD)).toBe('reset, saved: A B 3 3');
  });

  it.each([
    ['U-Boot was in flash', { firstStage: '/spi@fe300000/flash@0', card: CARD }],
    ['the first stage does not say where it found U-Boot', { firstStage: '', card: CARD }],
    ['the board has no card, as the RK1', { firstStage: EMMC, card: '' }],
  ])('starts from eMMC when %s', async (_, tree) => {
    expect(await powerOn({}, [...ON_EMMC, ...ON_CARD], tree)).toBe('start 0:a, saved: A B 2 3');
  });
});

it('keeps its variables on the disk, also those of a new one', async () => {
  const settings = (await readFile(SETTINGS, 'utf8')).split('\n');
  // Every board of Rockchip's keeps them nowhere unless it is told not to, and then one that has none is never given any.
  expect(settings).toContain('# CONFIG_ENV_IS_NOWHERE is not set');
  expect(settings).toContain('CONFIG_ENV_IS_IN_MMC=y');
  // U-Boot's own part of the above: which disk that is.
  const recipe = await readFile(path.join(SETTINGS, '../../u-boot_%.bbappend'), 'utf8');
  expect(recipe).toContain('0001-rockchip-environment-on-the-disk-U-Boot-came-from.patch');
});
