// SPDX-License-Identifier: Apache-2.0
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';

/** Keeps other processes of lamactl from a file until the returned function is called. A lock of a process that is gone counts for nothing. Throws CONFIG_INVALID. */
export async function lockFile(file: string): Promise<() => Promise<void>> {
  const lock = `${file}.lock`;
  const mine = `${lock}.${process.pid}`;
  try {
    await writeFile(mine, `${process.pid}`, { mode: 0o600 });
    if (await isStale(lock)) await rm(lock, { force: true });
    // A link is there at once, with its content, and only where there was none.
    await link(mine, lock);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const found = isTaken ? `another lamactl writes to it; if there is none, remove ${lock}` : (error as Error).message;
    throw new Failure('CONFIG_INVALID', `Cannot append to ${file}: ${found}`, { file });
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(lock, { force: true });
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
