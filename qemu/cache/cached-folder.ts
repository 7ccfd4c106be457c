// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { takeLock } from '../host/file-lock.ts';
import { ownFolder } from '../host/own-folder.ts';
import { cacheDirectory } from './cache-directory.ts';

/** A folder that was asked for so lately may still be read. */
const IN_USE_MS = 3_600_000;
/** For whoever makes the same folder: a first boot on a busy machine, and more. */
const MAKE_MS = 3_600_000;

/**
 * The folder KIND-ID of the cache: as it is, or made now by `make`, which gets an empty folder to fill. Of each kind, the
 * `most` that were asked for last are kept, and all of the last hour. Any number of processes may ask at once: one makes it.
 */
export async function cachedFolder(kind: string, id: string, most: number, make: (folder: string) => Promise<void>): Promise<string> {
  const name = `${kind}-${id}`;
  const folder = path.join(cacheOfFolders(), name);
  const release = await takeLock(lockOf(name), MAKE_MS);
  if (!release) throw new Error(`Cannot make ${folder}: another process has been making it for ${MAKE_MS / 60_000} minutes`);
  const isThere = existsSync(folder);
  try {
    if (!isThere) await makeWhole(folder, make);
    const now = new Date();
    await utimes(folder, now, now);
  } finally {
    await release();
  }
  if (!isThere) await trim(kind, most);
  return folder;
}

const cacheOfFolders = () => path.join(cacheDirectory(), 'made');
const lockOf = (name: string) => path.join(cacheDirectory(), 'made-locks', name);

async function makeWhole(folder: string, make: (folder: string) => Promise<void>): Promise<void> {
  const unfinished = await ownFolder(path.dirname(folder), 'new-');
  try {
    await make(unfinished);
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function trim(kind: string, most: number): Promise<void> {
  const names = (await readdir(cacheOfFolders())).filter((name) => name.startsWith(`${kind}-`));
  const folders = await Promise.all(names.map(async (name) => ({ name, usedMs: await usedMs(name) })));
  folders.sort((a, b) => b.usedMs - a.usedMs);
  for (const { name } of folders.slice(most).filter((folder) => !isInUse(folder.usedMs))) {
    const release = await takeLock(lockOf(name), 0);
    // Whoever has the lock uses the folder, or removes it; and so may have whoever had it meanwhile.
    if (release && !isInUse(await usedMs(name))) await rm(path.join(cacheOfFolders(), name), { recursive: true, force: true });
    await release?.();
  }
}

const isInUse = (usedAtMs: number): boolean => Date.now() - usedAtMs < IN_USE_MS;

/** When a folder was asked for last; never, when it is gone. */
async function usedMs(name: string): Promise<number> {
  try {
    return (await stat(path.join(cacheOfFolders(), name))).mtimeMs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return 0;
  }
}
