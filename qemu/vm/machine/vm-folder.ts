// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../cache-directory.ts';

/**
 * Everything of one virtual machine on the host, in a folder that its processes see as WORK: its disk, its firmware's memory,
 * its TPM, its sockets, its console. Beside the cache, so that disks and images are on one file system.
 */
export class VmFolder {
  private constructor(readonly path: string) {}

  static async create(): Promise<VmFolder> {
    const parent = path.join(cacheDirectory(), 'vm-machines');
    await mkdir(parent, { recursive: true });
    await sweep(parent);
    const folder = new VmFolder(await mkdtemp(path.join(parent, `${process.pid}-`)));
    for (const name of ['tpm', 'media']) await mkdir(folder.file(name));
    await writeFile(folder.console, '');
    return folder;
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  get console(): string {
    return this.file('console.log');
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

/** Removes the folders of processes that are gone; their machines went with them. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [owner = ''] = name.split('-');
    if (!existsSync(`/proc/${owner}`)) await rm(path.join(parent, name), { recursive: true, force: true });
  }
}
