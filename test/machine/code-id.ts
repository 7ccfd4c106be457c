// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { contentId } from '../../qemu/content-id.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');

/** A name for what these files of the repository say, for what is kept of a run of them; their paths begin at its root. */
export async function codeId(files: readonly string[]): Promise<string> {
  return contentId(await Promise.all(files.map((file) => readFile(path.join(REPOSITORY, file), 'utf8'))));
}
