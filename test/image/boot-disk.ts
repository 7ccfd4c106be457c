// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../qemu/cache-directory.ts';
import { run } from '../../qemu/command.ts';
import { sayOnStderr } from '../../qemu/say.ts';
import { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';

const MACHINE = 'lamadist-x86-64';
const IMAGE = `lamadist-image-minimal-${MACHINE}.rootfs`;
const BUNDLE = `lamadist-bundle-minimal-${MACHINE}.raucb`;
const BOOT_MS = 15 * 60_000;
const INSTALL_MS = 10 * 60_000;

/** A folder as the virtual machine wants it: the disk, and the key that its firmware is to trust. */
async function imageFolder(work: string, images: string): Promise<string> {
  const folder = await mkdtemp(path.join(cacheDirectory(), 'boot-disk-'));
  await cp(path.join(work, 'keys/secure-boot.crt'), path.join(folder, 'keys/secure-boot.crt'));
  const disk = [
    '--decompress',
    '--force',
    '--sparse',
    '--quiet',
    '-o',
    path.join(folder, 'disk.img'),
    path.join(images, `${IMAGE}.wic.zst`),
  ];
  await run(['zstd', ...disk], { timeoutMs: INSTALL_MS });
  return folder;
}

/**
 * Boots the disk that BitBake made in a virtual machine, with Secure Boot and a TPM, and updates it with BitBake's bundle.
 * `work` holds offline/ with the artifacts, and keys/. Throws with the end of the console's log when a step fails.
 */
export async function bootDisk(work: string, say: (line: string) => void): Promise<void> {
  const images = path.join(work, 'offline/tmp-glibc/deploy/images', MACHINE);
  const folder = await imageFolder(work, images);
  const machine = await VirtualMachine.create({ name: 'bitbake', image: { version: '0', path: folder }, say: sayOnStderr });
  const must = async (command: string, timeoutMs: number) => {
    const { exitCode, stdout, stderr } = await machine.shell(command, { timeoutMs });
    if (exitCode !== 0) throw new Error(`Cannot run "${command}" in the machine: ${stderr.trim()} ${stdout.trim()}`);
    return stdout.trim();
  };
  try {
    await machine.start();
    const first = await machine.waitForBoot({ timeoutMs: BOOT_MS });
    say(`booted slot ${first.bootname}, version ${first.imageVersion}; ${await must('getenforce', 60_000)}`);
    say(await must('veritysetup status root | sed -n "s/^ *\\(type\\|status\\|root hash\\): */\\1 /p"', 60_000));

    const bundle = path.join(folder, BUNDLE);
    await copyFile(await realpath(path.join(images, BUNDLE)), bundle);
    const inside = await machine.deliver(bundle);
    await must(`rauc install ${inside}`, INSTALL_MS);
    await must('rauc status mark-active other', 60_000);
    await machine.shell('systemctl --no-block reboot', { timeoutMs: 60_000 });
    const second = await machine.waitForBoot({ timeoutMs: BOOT_MS, after: first });
    say(`booted slot ${second.bootname}, version ${second.imageVersion}`);
    if (first.bootname !== 'A' || second.bootname !== 'B') throw new Error('The bundle did not make the machine boot its other slot');
  } catch (error) {
    const log = path.join(work, 'boot-disk.log');
    await writeFile(log, await machine.consoleLog());
    say(`console: ${log}\n${(await readFile(log, 'latin1')).split('\n').slice(-25).join('\n')}`);
    throw error;
  } finally {
    await machine.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
