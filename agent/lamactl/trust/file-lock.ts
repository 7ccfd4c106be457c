// SPDX-License-Identifier: Apache-2.0
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';

/** Others hold a file as long as they append to it. */
const ATTEMPTS = 100;
const PAUSE_MS = 100;

/**
 * Keeps other processes of lamactl from a file until the returned function is called; waits ten seconds for one that has it. A lock
 * of a process that is gone counts for nothing. Throws CONFIG_INVALID.
 */
export async function lockFile(file: string, attempts = ATTEMPTS): Promise<() => Promise<void>> {
  const lock = `${file}.lock`;
  try {
    for (let attempt = 1; ; attempt++) {
      if (await take(lock)) return () => rm(lock, { force: true });
      if (attempt >= attempts) break;
      await sleep(PAUSE_MS);
    }
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot append to ${file}: ${(error as Error).message}`, { file });
  }
  const found = `another lamactl writes to it; if there is none, remove ${lock}`;
  throw new Failure('CONFIG_INVALID', `Cannot append to ${file}: ${found}`, { file });
}

async function take(lock: string): Promise<boolean> {
  const mine = `${lock}.${process.pid}`;
  try {
    await writeFile(mine, `${process.pid}`, { mode: 0o600 });
    if (await isStale(lock)) await rm(lock, { force: true });
    // A link is there at once, with its content, and only where there was none.
    await link(mine, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
}

async function isStale(lock: string): Promise<boolean> {
  const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(owner) || owner <= 0) return false;
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
