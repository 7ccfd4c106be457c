// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder for as long as this process lives, named after it: PREFIX, its number and something random. Those of processes that
 * were killed before they could remove theirs are removed, unless they are another user's: anybody may make such a name in /tmp.
 */
export async function ownFolder(parent: string, prefix: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const [, owner] = /^(\d+)-/.exec(name.slice(prefix.length)) ?? [];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    const folder = path.join(parent, name);
    if (await isOurs(folder)) await rm(folder, { recursive: true, force: true });
  }
  return mkdtemp(path.join(parent, `${prefix}${process.pid}-`));
}

/** A link is not, wherever it leads; nor is what another process has just removed. */
async function isOurs(folder: string): Promise<boolean> {
  const stats = await lstat(folder).catch(() => undefined);
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}
