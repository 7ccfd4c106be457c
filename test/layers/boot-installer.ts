// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../qemu/cache/cache-directory.ts';
import { run } from '../../qemu/host/command.ts';
import { ownFolder } from '../../qemu/host/own-folder.ts';
import { sayOnStderr } from '../../qemu/host/say.ts';
import { X86_64 } from '../../qemu/vm/architecture.ts';
import { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { startIpxeServer } from './ipxe-server.ts';
import { offlineImages } from './offline-images.ts';

const MEDIUM = `lamadist-image-installer-${X86_64.machine}.img`;
/** Several GiB are written under emulation, and then booted. */
const INSTALL_MS = 25 * 60_000;
const QUICK_MS = 60_000;

const UKI = `lamadist-image-installer-${X86_64.machine}.efi`;
/** What iPXE says, in the place of the words in the UKI, and in another order than theirs. */
const WORDS = ['lamadist.install.disk=/dev/disk/by-id/virtio-lamadist', 'console=ttyS0,115200'];

/**
 * Starts a virtual machine with an empty disk from the USB medium that BitBake made, and waits until the machine has started
 * from the disk. The medium stays in: its words name the disk, so nobody is asked. `work` is as for bootDisk.
 */
export async function bootInstaller(work: string, say: (line: string) => void): Promise<void> {
  await install(work, say, { secureBoot: true });
}

/**
 * The same without Secure Boot, where the medium starts iPXE in the place of the installer: iPXE fetches the installer's UKI from the network,
 * and says its words. `ipxe` is iPXE for UEFI, with a version that reads autoexec.ipxe. The image is still the medium's: one from
 * the network needs a server whose authority Mozilla lists.
 */
export async function bootInstallerByIpxe(work: string, ipxe: string, say: (line: string) => void): Promise<void> {
  const server = await startIpxeServer(path.join(offlineImages(work), UKI), WORDS);
  try {
    const changeMedium = async (medium: string) => {
      const script = `${medium}.ipxe`;
      await writeFile(script, server.script);
      await run(['mcopy', '-o', '-i', `${medium}@@1M`, ipxe, '::/EFI/BOOT/BOOTX64.EFI'], { timeoutMs: QUICK_MS });
      await run(['mcopy', '-o', '-i', `${medium}@@1M`, script, '::/EFI/BOOT/autoexec.ipxe'], { timeoutMs: QUICK_MS });
    };
    const log = await install(work, say, { secureBoot: false, changeMedium });
    if (!server.wasFetched() || !log.includes(WORDS.join(' ')))
      throw new Error('iPXE did not start the installer from the network with its words');
    say('iPXE fetched the installer, and said its words');
  } finally {
    server.close();
  }
}

interface Start {
  readonly secureBoot: boolean;
  /** What is done to the medium before it is put in. */
  readonly changeMedium?: (medium: string) => Promise<void>;
}

/** Installs, and returns what the console said. */
async function install(work: string, say: (line: string) => void, { secureBoot, changeMedium }: Start): Promise<string> {
  const folder = await ownFolder(cacheDirectory(), 'boot-installer-');
  const medium = path.join(folder, 'installer.img');
  await cp(path.join(work, 'keys/secure-boot.crt'), path.join(folder, 'keys/secure-boot.crt'));
  await copyFile(path.join(offlineImages(work), MEDIUM), medium);
  await changeMedium?.(medium);
  const machine = await VirtualMachine.create({ name: 'installer', image: { version: '0', path: folder }, secureBoot, say: sayOnStderr });
  try {
    await machine.start();
    const boot = await machine.waitForBoot({ timeoutMs: INSTALL_MS });
    const { stdout } = await machine.shell('efibootmgr | sed -n "s/^Boot0.*\\* \\([AB]\\)\\t.*/\\1/p"', { timeoutMs: QUICK_MS });
    const log = await machine.consoleLog();
    if (boot.number === 1 || !log.includes('lamadist-install: done')) throw new Error('The machine did not start from its medium first');
    if (log.includes('Disk to erase')) throw new Error('The installer asked for the disk that its command line names');
    if (stdout.trim().split('\n').sort().join() !== 'A,B') throw new Error(`The installed machine has the boot entries "${stdout.trim()}"`);
    say(`installed; boot ${boot.number}: slot ${boot.bootname}, version ${boot.imageVersion}, boot entries A and B`);
    return log;
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
