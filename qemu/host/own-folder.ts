// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder for as long as this process lives, named after it: PREFIX, its number and something random. Those of processes that
 * were killed before they could remove theirs are removed.
 */
export async function ownFolder(parent: string, prefix: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const [, owner] = /^(\d+)-/.exec(name.slice(prefix.length)) ?? [];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) await rm(path.join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(path.join(parent, `${prefix}${process.pid}-`));
}
