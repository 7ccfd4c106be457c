// SPDX-License-Identifier: Apache-2.0
// How a first boot encrypts the root slots, in a folder that is its root: partitions are files, and what makes and reads LUKS2 only
// writes its magic number, and a label.
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const SCRIPT = path.join(import.meta.dirname, '../../meta-lamadist/recipes-core/encrypted-root/files/seal-first-boot');
const BLOCK = 4096;
const MIB = 1 << 20;
/** What a fresh disk has, in its order. */
const LABELS = ['esp-a', 'esp-b', 'root-a', 'root-a-verity', 'root-b', 'root-b-verity'] as const;

const SEAL_SLOT = `#!/bin/sh
printf 'LUKS\\272\\276' | dd of="$ROOT/dev/disk/by-partlabel/$1" conv=notrunc 2>/dev/null
: >"$ROOT/dev/mapper/$1"
echo "Encrypted $1"
`;
const CRYPTSETUP = `#!/bin/sh
case $1 in
  config) echo "$4" >"$2.label" ;;
  luksDump) echo "Label: $(cat "$2.label" 2>/dev/null)" ;;
esac
`;

let root = '';
beforeEach(async () => {
  root = await temporaryFolder();
  for (const folder of ['bin', 'dev/disk/by-partlabel', 'dev/mapper', 'proc', 'sys/class/block', 'usr/libexec/lamadist'])
    await mkdir(path.join(root, folder), { recursive: true });
  await writeFile(path.join(root, 'proc/cmdline'), 'root=/dev/mapper/root rauc.slot=A quiet\n');
  await writeFile(path.join(root, 'usr/libexec/lamadist/seal-slot'), SEAL_SLOT, { mode: 0o755 });
  await writeFile(path.join(root, 'bin/cryptsetup'), CRYPTSETUP, { mode: 0o755 });
  await writeFile(path.join(root, 'bin/systemctl'), '#!/bin/sh\necho "$@" >"$ROOT/systemctl"\n', { mode: 0o755 });
  for (const [index, label] of LABELS.entries()) {
    await partition('vda', index + 1, label);
    await writeFile(path.join(root, `dev/vda${index + 1}`), content(label));
    await symlink(`../../vda${index + 1}`, path.join(root, 'dev/disk/by-partlabel', label));
  }
});

/** What a fresh disk has in a partition: a root, the superblock of its hash tree, or nothing. */
function content(label: (typeof LABELS)[number]): Buffer {
  const bytes = Buffer.alloc(MIB);
  if (label === 'root-a') bytes.fill('root').writeUInt32LE(0xe0f5e1e2, 1024);
  if (label === 'root-a-verity') bytes.writeUInt32LE(BLOCK, 64);
  if (label === 'root-a-verity') bytes.writeBigUInt64LE(BigInt(MIB / BLOCK), 72);
  return bytes;
}

/** Makes a partition as the kernel shows it. */
async function partition(disk: string, number: number, label: string): Promise<void> {
  const folder = path.join('devices', disk, `${disk}${number}`);
  await mkdir(path.join(root, 'sys', folder), { recursive: true });
  await writeFile(path.join(root, 'sys', folder, 'uevent'), `DEVNAME=${disk}${number}\nPARTNAME=${label}\n`);
  await symlink(path.join('../..', folder), path.join(root, 'sys/class/block', `${disk}${number}`));
}

/** Boots once. Returns what it said. */
async function boot(): Promise<string> {
  const script = (await readFile(SCRIPT, 'utf8')).replace(/(?<=[\s="])\/(?=dev\/(?!zero)|proc\/|sys\/|usr\/)/g, `${root}/`);
  const env = { PATH: `${root}/bin:/usr/bin:/bin`, ROOT: root };
  return (await execa('sh', ['-c', script], { env, extendEnv: false })).stdout;
}

const magicOf = async (label: string) => (await readFile(path.join(root, 'dev/disk/by-partlabel', label))).subarray(0, 4).toString();
const BOTH = 'Encrypted root-a\nEncrypted root-b';

describe('a first boot', () => {
  it('encrypts both slots, and keeps what slot A holds', async () => {
    expect(await boot()).toBe(BOTH);
    expect([await magicOf('root-a'), await magicOf('root-b')]).toEqual(['LUKS', 'LUKS']);
    expect(content('root-a').equals(await readFile(path.join(root, 'dev/mapper/root-a')))).toBe(true);
  });

  it('does so beside another disk that has a data partition of its own', async () => {
    await partition('sda', 1, 'var');
    expect(await boot()).toBe(BOTH);
  });

  it('writes nothing, says why, and goes no further, where a slot of another disk has the same name', async () => {
    await partition('sda', 5, 'root-b');
    await writeFile(path.join(root, 'dev/sda5'), 'of another node');
    const link = path.join(root, 'dev/disk/by-partlabel/root-b');
    await rm(link);
    await symlink('../../sda5', link);
    await expect(boot()).rejects.toThrow('root-b are on two disks');
    expect(await readFile(link, 'utf8')).toBe('of another node');
    expect(await readFile(path.join(root, 'systemctl'), 'utf8')).toBe('--force reboot\n');
    expect(await magicOf('root-a')).toBe('root');
  });

  it('is the one of a disk without a data partition: later ones encrypt nothing', async () => {
    await partition('vda', 7, 'var');
    expect(await boot()).toBe('');
    expect(await magicOf('root-a')).toBe('root');
  });

  it('is one of slot A: a boot of slot B encrypts nothing', async () => {
    await writeFile(path.join(root, 'proc/cmdline'), 'rauc.slot=B\n');
    expect(await boot()).toBe('');
  });
});
