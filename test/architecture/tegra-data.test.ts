// SPDX-License-Identifier: Apache-2.0
// How a Jetson gets its data partition, in Tegra's own initramfs: every tool that would touch a disk is a function that says so.
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const HOOK = path.join(import.meta.dirname, '../../meta-lamadist/boards/recipes-core/tegra-data/files/platform-pre-switchroot');
const TOOLS = `
for tool in chattr chroot dd mkdir mke2fs mount reboot rm sleep; do eval "$tool() { echo $tool \\"\\$@\\"; }"; done
dumpe2fs() { [ -n "$formatted" ]; }
sgdisk() { echo sgdisk "$@"; }
partx() { [ -n "$full" ] || { command mkdir -p "$LAMADIST_SYS/class/block/nvme0n1p3"; printf 'DEVNAME=nvme0n1p3\\nPARTNAME=var\\n' >"$LAMADIST_SYS/class/block/nvme0n1p3/uevent"; }; }
rootdev=/dev/nvme0n1p1
`;

let sys = '';
beforeEach(async () => {
  sys = await temporaryFolder();
  await partition('nvme0n1p1', 'APP');
});

async function partition(device: string, name: string): Promise<void> {
  const folder = path.join(sys, 'devices/nvme0n1', device);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'uevent'), `DEVNAME=${device}\nPARTNAME=${name}\n`);
  await mkdir(path.join(sys, 'class/block'), { recursive: true });
  await symlink(folder, path.join(sys, 'class/block', device));
}

/** What the hook has done, line by line; `state` are the words `formatted` and `full`. */
async function start(...state: readonly string[]): Promise<string[]> {
  const env = { PATH: '/usr/bin:/bin', LAMADIST_SYS: sys };
  const words = state.map((word) => `${word}=yes\n`).join('');
  const { stdout } = await execa('sh', ['-c', `formatted= full=\n${words}${TOOLS}. ${HOOK}`], { env, extendEnv: false });
  return stdout.split('\n');
}

describe("a Jetson's data partition", () => {
  it('is made of what is free on the disk with the root, at the first boot', async () => {
    const done = await start();
    expect(done[0]).toMatch(/^sgdisk --move-second-header --new=0:0:0 --change-name=0:var .* \/dev\/nvme0n1$/);
    expect(done.slice(1, 3)).toEqual([
      'mke2fs -q -t ext4 -m 0 -L var /dev/nvme0n1p3',
      'mount -t ext4 -o nodev,nosuid /dev/nvme0n1p3 /mnt/var',
    ]);
  });

  it('is kept from then on', async () => {
    await partition('nvme0n1p3', 'var');
    const done = await start('formatted');
    expect(done[0]).toBe('mount -t ext4 -o nodev,nosuid /dev/nvme0n1p3 /mnt/var');
    expect(done.at(-1)).toMatch(/^mount -t overlay .* \/mnt\/etc$/);
  });

  it('is emptied, and no longer asked to be, when a factory reset was asked for', async () => {
    await partition('nvme0n1p3', 'var');
    const asked = path.join(sys, 'firmware/efi/efivars/FactoryReset-8cf2644b-4b0b-428f-9387-6d876050dc67');
    await mkdir(path.dirname(asked), { recursive: true });
    await writeFile(asked, '');
    expect((await start('formatted')).slice(0, 3)).toEqual([
      'dd if=/dev/zero of=/dev/nvme0n1p3 bs=4096 count=1 conv=fsync',
      `chattr -i ${asked}`,
      `rm ${asked}`,
    ]);
  });

  it('is missed loudly where the disk is full, and the firmware counts the try', async () => {
    expect((await start('full')).slice(1)).toEqual([
      'Cannot mount the data partition: /dev/nvme0n1 has none, and none could be made',
      'sleep 30',
      'reboot -f',
    ]);
  });
});
