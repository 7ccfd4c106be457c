// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Bootname } from './boot-loader.ts';

/** The folders of nodes are called so; the sweep looks for what is left of those whose owner is gone. */
export const FOLDER_PREFIX = 'lamadist-node-';

/** Everything of one node on the host: its disks, its boot loader's memory, its TPM, its console. */
export class NodeFolder {
  private constructor(readonly path: string) {}

  static async create(): Promise<NodeFolder> {
    const folder = new NodeFolder(await mkdtemp(path.join(tmpdir(), FOLDER_PREFIX)));
    await writeFile(folder.owner, `${process.pid}\n`);
    for (const name of ['root', 'cgroup', 'tpm', 'tpm/sockets', 'nvram', 'nvram/hold', 'nvram/held'])
      await mkdir(path.join(folder.path, name));
    await writeFile(folder.console, '');
    return folder;
  }

  /** Written first: the process that the node belongs to. */
  get owner(): string {
    return path.join(this.path, 'owner');
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
