// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../../cache-directory.ts';
import type { ImageFile } from '../../image/product-files.ts';
import { ownFolder } from '../../own-folder.ts';

/** A name for content: whatever changes it, changes the name. */
export function contentId(parts: readonly string[], files: readonly ImageFile[] = []): string {
  const hash = createHash('sha256').update(JSON.stringify(parts));
  for (const file of files) {
    hash.update(`\0${file.path}\0${file.mode ?? ''}\0`).update(createHash('sha256').update(file.content).digest());
  }
  return hash.digest('hex').slice(0, 24);
}

/**
 * The folder KIND-ID of the cache: as it is, or made now by `make`, which gets an empty folder to fill. Of each kind, the
 * `most` that were asked for last are kept.
 */
export async function cachedFolder(kind: string, id: string, most: number, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = path.join(cacheDirectory(), 'vm');
  const folder = path.join(cache, `${kind}-${id}`);
  if (!existsSync(folder)) {
    const unfinished = await ownFolder(cache, 'new-');
    try {
      await make(unfinished);
      // Whoever made the same meanwhile made it no worse.
      await rename(unfinished, folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    await trim(cache, kind, most);
  }
  const now = new Date();
  await utimes(folder, now, now);
  return folder;
}

async function trim(cache: string, kind: string, most: number): Promise<void> {
  const names = (await readdir(cache)).filter((name) => name.startsWith(`${kind}-`));
  const folders = await Promise.all(names.map(async (name) => ({ name, usedMs: (await stat(path.join(cache, name))).mtimeMs })));
  folders.sort((a, b) => b.usedMs - a.usedMs);
  for (const { name } of folders.slice(most)) await rm(path.join(cache, name), { recursive: true, force: true });
}
