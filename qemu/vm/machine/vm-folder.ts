// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../cache-directory.ts';
import { run } from '../../command.ts';
import type { Boot } from '../../machine.ts';
import { ownFolder } from '../../own-folder.ts';
import { contentId } from '../image/cached-folder.ts';
import { type Place, placesIn, type Replay, replayToLastFlush } from './write-log.ts';

const COPY_MS = 600_000;
const LOGS = { console: 'console.log', initramfs: 'initramfs.log', journal: 'journal.log', processes: 'processes.log' } as const;
/** The memory of a machine that is asleep, and the boot that it is in. */
export const MEMORY_FILE = 'memory';
const SLEEPING_BOOT = 'boot.json';
/** What makes a machine the same again. */
const STATE = ['disk.img', 'vars.fd', 'tpm', SLEEPING_BOOT];
/** What goBackTo() begins with: the disk before, what was written to it, and what firmware and TPM kept meanwhile. */
const RECORDED = { before: 'recorded-before.img', log: 'recorded.log', photographs: 'photographs' } as const;
/** What is durable the moment it is written: the firmware's memory, and the TPM's, which is replaced as a whole. */
const IN_FLASH = ['vars.fd', 'tpm/tpm2-00.permall'];

/** A moment of a machine: how much of the log of its disk there was, and a name for what firmware and TPM had stored. */
export interface Photograph {
  readonly logBytes: number;
  readonly flash: string;
}

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

  /** Keeps what the firmware and the TPM have stored by now, unless a photograph has the same. */
  async photograph(): Promise<Photograph> {
    const { size: logBytes } = await stat(this.writeLog);
    const stored = await Promise.all(
      IN_FLASH.map(async (name) => ({ path: path.basename(name), content: await readFile(this.file(name)) })),
    );
    const flash = contentId([], stored);
    const target = this.file(`${RECORDED.photographs}/${flash}`);
    if (!existsSync(target)) {
      await mkdir(target, { recursive: true });
      for (const each of stored) await writeFile(path.join(target, each.path), each.content);
    }
    return { logBytes, flash };
  }

  /**
   * Puts what was photographed since the machine, which is off now, was switched on into another folder of the same file system.
   * Returns what a power cut would lose at each place of the log of its disk.
   */
  async keepPhotographs(target: string): Promise<readonly Place[]> {
    await rename(this.diskBefore, path.join(target, RECORDED.before));
    await rename(this.writeLog, path.join(target, RECORDED.log));
    await rename(this.file(RECORDED.photographs), path.join(target, RECORDED.photographs));
    return placesIn(path.join(target, RECORDED.log));
  }

  /**
   * Puts the machine, which is off, where one was at a photograph that is kept in `source`, as a power cut in that moment would
   * have left it; its `logBytes` may be that of any other moment with the same `flash`.
   */
  async goBackTo(source: string, { logBytes, flash }: Photograph): Promise<Replay> {
    await run(['cp', '--sparse=always', path.join(source, RECORDED.before), this.disk], { timeoutMs: COPY_MS });
    const photograph = path.join(source, RECORDED.photographs, flash);
    for (const each of IN_FLASH) await copyFile(path.join(photograph, path.basename(each)), this.file(each));
    return replayToLastFlush(path.join(source, RECORDED.log), this.disk, logBytes);
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

  /** Puts a machine that is asleep into another folder of the same file system; the memory, which is only read, stays shared. */
  async copyTo(target: string): Promise<void> {
    await copySleeper(this.path, target);
  }

  async copyFrom(source: string): Promise<void> {
    await copySleeper(source, this.path);
  }

  /** The boot in which the machine fell asleep; none unless it is asleep. */
  async sleepingBoot(): Promise<Boot | undefined> {
    const file = this.file(SLEEPING_BOOT);
    return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Boot) : undefined;
  }

  async rememberSleep(boot: Boot): Promise<void> {
    await writeFile(this.file(SLEEPING_BOOT), JSON.stringify(boot));
  }

  async forgetSleep(): Promise<void> {
    for (const name of [MEMORY_FILE, SLEEPING_BOOT]) await rm(this.file(name));
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

async function copySleeper(source: string, target: string): Promise<void> {
  const state = STATE.map((name) => path.join(source, name));
  await run(['cp', '--recursive', '--sparse=always', ...state, target], { timeoutMs: COPY_MS });
  await link(path.join(source, MEMORY_FILE), path.join(target, MEMORY_FILE));
}
