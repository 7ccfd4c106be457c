// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../shared/failure.ts';

/** Others hold a file as long as they append to it. */
const USUAL_WAIT_MS = 10_000;
const PAUSE_MS = 50;

/**
 * Keeps other processes of lamactl from a file until the returned function is called; waits for one that has it. A lock of a process that
 * is gone counts for nothing. Throws CONFIG_INVALID.
 */
export async function lockFile(file: string, waitMs = USUAL_WAIT_MS): Promise<() => Promise<void>> {
  const lock = `${file}.lock`;
  const mine = `${lock}.${randomUUID()}`;
  try {
    await writeFile(mine, `${process.pid}`, { mode: 0o600 });
    for (let leftMs = waitMs; !(await take(lock, mine)); leftMs -= PAUSE_MS) {
      if (leftMs <= 0) throw new Error(`another lamactl writes to it; if there is none, remove ${lock}`);
      await sleep(PAUSE_MS);
    }
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `Cannot write to ${file}: ${(error as Error).message}`, { file }, { cause: error });
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(lock, { force: true });
}

/** A link is there at once, with its content, and only where there was none. */
async function take(lock: string, mine: string): Promise<boolean> {
  try {
    if (await isStale(lock)) await clear(lock, mine);
    await link(mine, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Of two that find it at once, one alone may take it away: the other could take away the lock that comes after it. */
async function clear(lock: string, mine: string): Promise<void> {
  const clearing = `${lock}.clearing`;
  await link(mine, clearing);
  try {
    if (await isStale(lock)) await rm(lock, { force: true });
  } finally {
    await rm(clearing, { force: true });
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
