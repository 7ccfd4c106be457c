// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { stat, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { syncFolder } from '../../shared/sync-folder.ts';
import { writeDurably } from './durable-file.ts';

/** What is free on a file system for an ordinary user: blocks, and the bytes of one. */
interface Space {
  readonly bavail: number;
  readonly bsize: number;
}

/**
 * Space on a disk that is kept for what must still be written when the disk is full: a file of random bytes (a file system that
 * compresses would keep nothing for zeros), which is given up for it.
 */
export class Reserve {
  readonly #path: string;
  readonly #sizeBytes: number;
  readonly #space: (folder: string) => Promise<Space>;

  constructor(path: string, sizeBytes: number, space: (folder: string) => Promise<Space> = statfs) {
    this.#path = path;
    this.#sizeBytes = sizeBytes;
    this.#space = space;
  }

  /** Sees to it that the space is kept, and that as much is free beside it. Fails with JOURNAL_UNWRITABLE. */
  async hold(): Promise<void> {
    try {
      const kept = await stat(this.#path).catch(() => undefined);
      if (kept?.size !== this.#sizeBytes) await writeDurably(this.#path, randomBytes(this.#sizeBytes));
      const { bavail, bsize } = await this.#space(dirname(this.#path));
      const freeBytes = bavail * bsize;
      if (freeBytes < this.#sizeBytes) throw new Error(`${freeBytes} bytes are free and ${this.#sizeBytes} are needed`);
    } catch (error) {
      const message = `Cannot keep space for the journal: ${(error as Error).message}`;
      throw new Failure('JOURNAL_UNWRITABLE', message, {}, { cause: error });
    }
  }

  /** Gives up the space, if a write failed for want of it. False when that was not the reason, or there is nothing to give up. */
  async spend(error: unknown): Promise<boolean> {
    if (!isFull(error)) return false;
    try {
      await unlink(this.#path);
      await syncFolder(dirname(this.#path));
      return true;
    } catch {
      return false;
    }
  }
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || isFull(error.cause);
}
