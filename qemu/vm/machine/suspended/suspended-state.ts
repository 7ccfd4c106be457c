// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../host/command.ts';
import type { Boot } from '../../../machine.ts';
import type { VmFolder } from '../vm-folder.ts';

const COPY_MS = 600_000;
/** What QEMU resumes from: the RAM and the devices of a suspended machine. */
export const MEMORY_FILE = 'memory';
const BOOT_FILE = 'boot.json';
/** What else a suspended machine is resumed with. */
const STATE = ['disk.img', 'vars.fd', 'tpm', BOOT_FILE];

/** Puts a suspended machine into another folder of the same file system; its memory, which is only read, stays shared. */
export async function copySuspended(source: string, target: string): Promise<void> {
  const state = STATE.map((name) => path.join(source, name));
  await run(['cp', '--recursive', '--sparse=always', ...state, target], { timeoutMs: COPY_MS });
  await link(path.join(source, MEMORY_FILE), path.join(target, MEMORY_FILE));
}

/** The boot in which the machine was suspended; undefined unless it is suspended. */
export async function suspendedBoot(folder: VmFolder): Promise<Boot | undefined> {
  const file = folder.file(BOOT_FILE);
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Boot) : undefined;
}

export async function rememberSuspended(folder: VmFolder, boot: Boot): Promise<void> {
  await writeFile(folder.file(BOOT_FILE), JSON.stringify(boot));
}

export async function forgetSuspended(folder: VmFolder): Promise<void> {
  for (const name of [MEMORY_FILE, BOOT_FILE]) await rm(folder.file(name));
}
