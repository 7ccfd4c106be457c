// SPDX-License-Identifier: Apache-2.0
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { syncFolder } from '../shared/sync-folder.ts';

/**
 * Makes a folder, and those above it that are missing. Node's own mkdir with `recursive` never ends where the file system takes no
 * folder and says that one is missing, as /proc does.
 */
export async function makeFolder(folder: string, mode?: number): Promise<void> {
  const whole = resolve(folder);
  try {
    await make(whole, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(whole) === whole) throw error;
    await makeFolder(dirname(whole), mode);
    await make(whole, mode);
  }
}

/** One that is there already will do. */
async function make(folder: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(folder, { ...(mode !== undefined && { mode }) });
    await syncFolder(dirname(folder));
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(folder)).isDirectory();
    if (!isThere) throw error;
  }
}
