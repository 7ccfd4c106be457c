// SPDX-License-Identifier: Apache-2.0
import { copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../cache/cache-directory.ts';
import { ownFolder } from '../../host/own-folder.ts';

const LOGS = { console: 'console.log', initramfs: 'initramfs.log', journal: 'journal.log', processes: 'processes.log' } as const;

/**
 * Everything of one virtual machine on the host, in a folder that its processes see as WORK: its disk, its firmware's memory,
 * its TPM, its sockets, its console. Beside the cache, so that disks and images are on one file system.
 */
export class VmFolder {
  private constructor(readonly path: string) {}

  static async create(): Promise<VmFolder> {
    const folder = new VmFolder(await ownFolder(path.join(cacheDirectory(), 'vm-machines'), ''));
    for (const name of ['tpm', 'media']) await mkdir(folder.file(name));
    for (const log of Object.values(LOGS)) await writeFile(folder.file(log), '');
    return folder;
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  get console(): string {
    return this.file(LOGS.console);
  }

  get logFiles(): Readonly<Record<keyof typeof LOGS, string>> {
    const { initramfs, journal, processes } = LOGS;
    return { console: this.console, initramfs: this.file(initramfs), journal: this.file(journal), processes: this.file(processes) };
  }

  /** What the machine wrote to its console, its journal in each boot's initramfs and from its userspace on, and what its processes complained of. */
  async logs(): Promise<Readonly<Record<keyof typeof LOGS, string>>> {
    const texts = Object.entries(this.logFiles).map(async ([name, file]) => [name, await readFile(file, 'utf8')] as const);
    const { console = '', initramfs = '', journal = '', processes = '' } = Object.fromEntries(await Promise.all(texts));
    return { console: console.replaceAll('\r', ''), initramfs, journal, processes };
  }

  get disk(): string {
    return this.file('disk.img');
  }

  /** The disk as it was when the machine was switched on. */
  get diskBefore(): string {
    return this.file('disk-before.img');
  }

  /** Every write and flush of the disk since the machine was switched on. */
  get writeLog(): string {
    return this.file('writes.log');
  }

  /** Shows a file of the host to the machine, without a copy. */
  async share(hostPath: string): Promise<string> {
    const name = path.basename(hostPath);
    await rm(this.file(`media/${name}`), { force: true });
    await link(hostPath, this.file(`media/${name}`)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EXDEV') throw error;
      await copyFile(hostPath, this.file(`media/${name}`));
    });
    return name;
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
