// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../qemu/cache-directory.ts';
import { ownFolder } from '../../qemu/own-folder.ts';
import { sayOnStderr } from '../../qemu/say.ts';
import { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';

const MACHINE = 'lamadist-x86-64';
const MEDIUM = `lamadist-image-installer-${MACHINE}.img`;
/** Several GiB are written under emulation, and then booted. */
const INSTALL_MS = 25 * 60_000;
const QUICK_MS = 60_000;

/**
 * Starts a virtual machine with an empty disk from the USB medium that BitBake made, and waits until the machine has started
 * from the disk. The medium stays in: its words name the disk, so nobody is asked. `work` is as for bootDisk.
 */
export async function bootInstaller(work: string, say: (line: string) => void): Promise<void> {
  const folder = await ownFolder(cacheDirectory(), 'boot-installer-');
  await cp(path.join(work, 'keys/secure-boot.crt'), path.join(folder, 'keys/secure-boot.crt'));
  await copyFile(path.join(work, 'offline/tmp-glibc/deploy/images', MACHINE, MEDIUM), path.join(folder, 'installer.img'));
  const machine = await VirtualMachine.create({ name: 'installer', image: { version: '0', path: folder }, say: sayOnStderr });
  try {
    await machine.start();
    const boot = await machine.waitForBoot({ timeoutMs: INSTALL_MS });
    const { stdout } = await machine.shell('efibootmgr | sed -n "s/^Boot0.*\\* \\([AB]\\)\\t.*/\\1/p"', { timeoutMs: QUICK_MS });
    const log = await machine.consoleLog();
    if (boot.number === 1 || !log.includes('lamadist-install: done')) throw new Error('The machine did not start from its medium first');
    if (log.includes('Disk to erase')) throw new Error('The installer asked for the disk that its command line names');
    if (stdout.trim().split('\n').sort().join() !== 'A,B') throw new Error(`The installed machine has the boot entries "${stdout.trim()}"`);
    say(`installed from the medium; boot ${boot.number}: slot ${boot.bootname}, version ${boot.imageVersion}, boot entries A and B`);
  } catch (error) {
    const log = path.join(work, 'boot-installer.log');
    await writeFile(log, await machine.consoleLog());
    say(`console: ${log}`);
    throw error;
  } finally {
    await machine.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
