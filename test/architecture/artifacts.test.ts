// SPDX-License-Identifier: Apache-2.0
// What is kept of a build, and what two builds have to have in common: by a folder like BitBake's.
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const CI = path.join(import.meta.dirname, '../../.ci');
const MACHINE = 'lamadist-x86-64';
const HOMELAB = [
  `lamadist-image-homelab-${MACHINE}.rootfs-1.2.3.wic.zst`,
  `lamadist-image-homelab-${MACHINE}.rootfs-1.2.3.spdx.json`,
  `lamadist-bundle-homelab-${MACHINE}-1.2.3.raucb`,
];
const INSTALLER = [`lamadist-image-installer-${MACHINE}-1.2.3.img`, `lamadist-image-installer-${MACHINE}-1.2.3.efi`];

/** BitBake's deploy/images after an installer was built around the homelab image: each file, and a link without the version. */
async function deployed(): Promise<string> {
  const images = await temporaryFolder();
  await mkdir(path.join(images, MACHINE));
  for (const name of [...HOMELAB, ...INSTALLER, `lamadist-image-homelab-${MACHINE}.rootfs-1.2.3.manifest`]) {
    await writeFile(path.join(images, MACHINE, name), name);
    await symlink(name, path.join(images, MACHINE, name.replace('-1.2.3', '')));
  }
  return images;
}

describe('the artifacts of a build', () => {
  it.each([
    ['homelab', HOMELAB],
    ['installer', INSTALLER],
  ])('are those of %s alone, each once', async (image, files) => {
    const folder = path.join(await temporaryFolder(), 'artifacts');
    await execa(path.join(CI, 'collect-artifacts'), [await deployed(), image, folder]);
    expect(await readdir(folder)).toEqual([...files].sort());
  });

  it('are missed where there are none', async () => {
    const folder = path.join(await temporaryFolder(), 'artifacts');
    const { exitCode, stderr } = await execa(path.join(CI, 'collect-artifacts'), [await deployed(), 'dev', folder], { reject: false });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('Cannot collect the artifacts of dev') });
  });
});

const COMPARED = ['bzImage-1.2.3.bin', 'initramfs.cpio.zst', 'root.erofs.verity', 'root.erofs.vhash', 'root.manifest'];

/** Compares two builds, of which the second has what `change` does to it. */
async function compare(change: (second: string) => Promise<void>, files: readonly string[] = COMPARED) {
  const builds = await temporaryFolder();
  for (const build of ['first', 'second']) {
    await mkdir(path.join(builds, build));
    for (const name of [...files, 'root.wic.zst']) await writeFile(path.join(builds, build, name), name);
  }
  await change(path.join(builds, 'second'));
  return execa(path.join(CI, 'compare-builds'), ['first', 'second'], { cwd: builds, reject: false });
}

describe('two builds of the same sources', () => {
  it('are the same when all that has no signature in it is, the kernel too', async () => {
    const { exitCode, stdout } = await compare((second) => writeFile(path.join(second, 'root.wic.zst'), 'signed at another time'));
    expect(stdout.split('\n')).toEqual(COMPARED.map((name) => `same       ${name}`));
    expect(exitCode).toBe(0);
  });

  it.each(COMPARED)('are not the same when %s differs', async (name) => {
    const { exitCode, stdout } = await compare((second) => writeFile(path.join(second, name), 'another'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: expect.stringContaining(`DIFFERENT  ${name}`) });
  });

  it.each(COMPARED)('cannot be compared without %s', async (name) => {
    const { exitCode, stderr } = await compare(
      async () => {},
      COMPARED.filter((other) => other !== name),
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('Cannot compare: first has no ') });
  });
});
