// SPDX-License-Identifier: Apache-2.0
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';

/** About 100 MB each. */
const MOST_IMAGES = 12;
const UNFINISHED_LIFE_MS = 3_600_000;

export function imageCacheDirectory(): string {
  return path.join(cacheDirectory(), 'images');
}

/** The image with this id, if it is there; being asked for makes it the last one to be deleted. */
export async function cachedImage(id: string): Promise<string | undefined> {
  const file = path.join(imageCacheDirectory(), `${id}.erofs`);
  const now = new Date();
  try {
    await utimes(file, now, now);
    return file;
  } catch {
    return undefined;
  }
}

/** Deletes the images that were not asked for longest, and what an interrupted build left behind. */
export async function trimImageCache(): Promise<void> {
  const folder = imageCacheDirectory();
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const file = path.join(folder, name);
      // Another process may have deleted it meanwhile.
      const usedMs = await stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return { file, usedMs };
    }),
  );
  const images = files.filter(({ file }) => file.endsWith('.erofs')).sort((a, b) => b.usedMs - a.usedMs);
  const unfinished = files.filter(({ file, usedMs }) => file.endsWith('.new') && Date.now() - usedMs > UNFINISHED_LIFE_MS);
  for (const { file } of [...images.slice(MOST_IMAGES), ...unfinished]) await rm(file, { force: true });
}
