// SPDX-License-Identifier: Apache-2.0
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A bundle on a removable medium: nobody verified it, and it waits for the administrator's word. */
export interface MediaBundle {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/** A stick full of files named like bundles is no reason to read on for ever. */
const MAX_BUNDLES = 100;

/** The `*.raucb` files at the top of each medium under the folder, by path. A medium that is pulled out meanwhile has none. */
export async function mediaBundles(folder: string): Promise<MediaBundle[]> {
  const media = (await entries(folder)).filter((entry) => entry.isDirectory());
  const paths = await Promise.all(media.map(({ name }) => bundlesIn(join(folder, name))));
  const found = await Promise.all(paths.flat().slice(0, MAX_BUNDLES).map(describe));
  return found.filter((bundle) => bundle !== undefined).sort((one, other) => (one.path < other.path ? -1 : 1));
}

const entries = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true }).catch(() => []);

async function bundlesIn(medium: string): Promise<string[]> {
  const files = (await entries(medium)).filter((entry) => entry.isFile() && entry.name.endsWith('.raucb'));
  return files.map(({ name }) => join(medium, name));
}

async function describe(path: string): Promise<MediaBundle | undefined> {
  const status = await stat(path).catch(() => undefined);
  return status && { path, sizeBytes: status.size, modifiedAt: status.mtime };
}
