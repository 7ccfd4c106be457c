// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { contentId } from './content-id.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

/**
 * A name for what these files of the repository say, and all files in these folders of it, for what is kept of a run of them. Their
 * paths begin at its root.
 */
export async function codeId(paths: readonly string[]): Promise<string> {
  const files = (await Promise.all(paths.map(filesIn))).flat();
  return contentId(await Promise.all(files.map((file) => readFile(file, 'utf8'))));
}

async function filesIn(name: string): Promise<string[]> {
  const place = path.join(REPOSITORY, name);
  if (!(await stat(place)).isDirectory()) return [place];
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
