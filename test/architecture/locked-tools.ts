// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { cacheDirectory } from '../../qemu/cache/cache-directory.ts';

const LOCK_FILE = path.join(import.meta.dirname, '../../container/requirements.txt');
const INSTALL_MS = 180_000;

/** Where the programs of container/requirements.txt are, or in a sentence why they cannot be had. */
export type LockedTools = { readonly type: 'here'; readonly folder: string } | { readonly type: 'missing'; readonly why: string };

/** kas and oelint-adv as the build container has them, in a virtual environment that is made once. */
export async function lockedTools(): Promise<LockedTools> {
  const lock = await readFile(LOCK_FILE);
  const tools = path.join(cacheDirectory(), `build-tools-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  const whole = path.join(tools, 'whole');
  if (!existsSync(whole)) {
    try {
      await rm(tools, { recursive: true, force: true });
      await execa('python3', ['-m', 'venv', tools], { timeout: INSTALL_MS });
      const install = ['install', '--quiet', '--require-hashes', '--requirement', LOCK_FILE];
      await execa(path.join(tools, 'bin/pip'), install, { timeout: INSTALL_MS });
      await writeFile(whole, '');
    } catch (error) {
      return { type: 'missing', why: error instanceof Error ? error.message.split('\n').slice(0, 4).join(' ') : String(error) };
    }
  }
  return { type: 'here', folder: path.join(tools, 'bin') };
}
