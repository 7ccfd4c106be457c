// SPDX-License-Identifier: Apache-2.0
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../shared/sync-folder.ts';

/**
 * Puts a file in place so that after a power cut either the old or the new content is there, whole: temporary file,
 * fsync, rename, fsync of the folder. Resolves when the new content is on the disk.
 */
export async function writeDurably(path: string, content: string | Uint8Array, mode = 0o640): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}
