// SPDX-License-Identifier: Apache-2.0
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../shared/failure.ts';
import { syncFolder } from '../shared/sync-folder.ts';
import { isMissing, readInput } from './input-file.ts';
import { makeFolder } from './make-folder.ts';

/** The largest is the last evidence of a node that was trusted, with its logs. */
const LIMIT_BYTES = 64 << 20;

/** Puts a file in place that is never seen in part, and that its owner alone may read. Resolves when it is on the disk. Throws CONFIG_INVALID. */
export async function writeWhole(file: string, content: string, mode = 0o600): Promise<void> {
  try {
    await makeFolderOf(file);
    const temporary = `${file}.${process.pid}.tmp`;
    const handle = await open(temporary, 'w', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot write ${file}: ${(error as Error).message}`, { file }, { cause: error });
  }
}

/** Makes the folder that a file is to be in. */
export async function makeFolderOf(file: string): Promise<void> {
  await makeFolder(dirname(file), 0o700);
}

/** The text of a file; undefined when there is none. Throws CONFIG_INVALID. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readInput(file, LIMIT_BYTES)).toString('utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
