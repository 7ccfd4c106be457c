// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cacheDirectory } from '../../../qemu/cache/cache-directory.ts';
import { run } from '../../../qemu/host/command.ts';

/**
 * A program out of a Debian package that is not installed, for installing it would start its service: the package is fetched
 * with apt and unpacked in the cache, once. Of several packages the first that has the program: releases name them differently.
 * Throws when apt cannot fetch it, or none has it.
 */
export async function debianProgram(path: string, ...packages: readonly string[]): Promise<string> {
  const failures: unknown[] = [];
  for (const name of packages) {
    const folder = await unpackedPackage(name, path).catch((error) => void failures.push(error));
    if (folder !== undefined && existsSync(join(folder, path))) return join(folder, path);
  }
  throw new Error(`Cannot find ${path} in the Debian packages ${packages.join(', ')}`, { cause: failures.at(-1) });
}

async function unpackedPackage(debianPackage: string, path: string): Promise<string> {
  const programs = join(cacheDirectory(), 'programs');
  const folder = join(programs, debianPackage);
  if (!existsSync(join(folder, path))) {
    await mkdir(programs, { recursive: true });
    const unpacked = await mkdtemp(join(programs, '.new-'));
    try {
      await execa('apt-get', ['download', debianPackage], { cwd: unpacked, timeout: 120_000 });
      const [archive = ''] = (await readdir(unpacked)).filter((name) => name.endsWith('.deb'));
      await run(['dpkg-deb', '--extract', join(unpacked, archive), join(unpacked, 'root')], { timeoutMs: 60_000 });
      await rm(folder, { recursive: true, force: true });
      await rename(join(unpacked, 'root'), folder);
    } finally {
      await rm(unpacked, { recursive: true });
    }
  }
  return folder;
}
