// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bootname } from './boot-loader.ts';

const PREFIX = 'lamadist-node-';

/** The process that a folder of this name belongs to; undefined when it is no node's folder. */
export function ownerOf(folderName: string): number | undefined {
  const [, pid] = /^lamadist-node-(\d+)-/.exec(folderName) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Everything of one node on the host: its disks, its boot loader's memory, its TPM, its console. */
export class NodeFolder {
  private constructor(readonly path: string) {}

  static async create(): Promise<NodeFolder> {
    const folder = new NodeFolder(await mkdtemp(path.join(tmpdir(), `${PREFIX}${process.pid}-`)));
    for (const name of ['root', 'cgroup', 'tpm', 'tpm/sockets', 'measured', 'nvram', 'nvram/hold'])
      await mkdir(path.join(folder.path, name));
    await writeFile(folder.console, '');
    return folder;
  }

  get console(): string {
    return path.join(this.path, 'console.log');
  }

  /** The host's number of the node's PID 1, once there is one. */
  get pid(): string {
    return path.join(this.path, 'pid');
  }

  get bootLoaderState(): string {
    return path.join(this.path, 'nvram/state');
  }

  get tpm(): string {
    return path.join(this.path, 'tpm');
  }

  /** The logs of what this boot measured. */
  get measured(): string {
    return path.join(this.path, 'measured');
  }

  get data(): string {
    return path.join(this.path, 'var.img');
  }

  /** Named after the folder, so the sweep can tell whose it is. */
  get controlGroup(): string {
    return path.basename(this.path);
  }

  slot(bootname: Bootname): string {
    return path.join(this.path, `slot-${bootname.toLowerCase()}.img`);
  }

  hold(command: string): string {
    return path.join(this.path, 'nvram/hold', command);
  }

  held(command: string): string {
    return path.join(this.path, 'nvram/held', command);
  }

  /** Forgets what the last boot left: nobody is PID 1, and no command is held. */
  async clearBoot(): Promise<void> {
    await rm(this.pid, { force: true });
    const held = path.join(this.path, 'nvram/held');
    await rm(held, { recursive: true, force: true });
    await mkdir(held);
  }

  /** Makes the slots: the image in A, nothing in B. */
  async writeSlots(image: string, sizeBytes: number): Promise<void> {
    await copyFile(image, this.slot('A'));
    await truncate(this.slot('A'), sizeBytes);
    await writeFile(this.slot('B'), '');
    await truncate(this.slot('B'), sizeBytes);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
