// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { access, constants, copyFile, type FileHandle, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import type { BundleReader } from './bundle-reader.ts';

export interface SpoolOptions {
  /** On the data file system; its content is the spool's alone. */
  readonly folder: string;
  readonly maximumBytes: number;
  /** What must stay free on the data file system, for logs and the journal. */
  readonly reserveBytes: number;
}

/** The content of a bundle from an offset to its end, however often its source breaks off. */
export type ReadRest = (offset: number) => AsyncIterable<Buffer>;

/** How the names of copies for RAUC begin. */
const GIVEN = 'given-';

/** A piece at a time is written, and every so many bytes are made durable: what a restart goes on from. */
const SYNC_EVERY_BYTES = 16 << 20;

/**
 * Bundles on the node's own disk, for a kernel in which RAUC cannot stream. One is kept at a time; a part of it is gone on
 * with, in the same operation or another, as long as the source still says that it holds the same.
 */
export class Spool {
  readonly #options: SpoolOptions;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Brings a bundle whole to the disk and returns its path. `source` names where it comes from. */
  async fill(
    source: string,
    reader: BundleReader,
    readRest: ReadRest,
    onFetched: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<string> {
    const { folder, maximumBytes } = this.#options;
    const { sizeBytes } = reader;
    if (sizeBytes > maximumBytes) {
      throw new Failure('BUNDLE_TOO_LARGE', `Cannot fetch the bundle: it has ${sizeBytes} bytes, and at most ${maximumBytes} are allowed`);
    }
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const name = nameOf(source, reader);
    await this.clear(name);
    const path = join(folder, name);
    // What RAUC took for its own cannot be gone on with.
    await access(path, constants.R_OK | constants.W_OK).catch(() => rm(path, { force: true }));
    const have = await sizeOf(path);
    // A source that cannot tell its content is never gone on with.
    const offset = reader.validator !== '' && have <= sizeBytes ? have : 0;
    await this.#requireSpace(sizeBytes - offset);
    onFetched(offset);
    await write(path, offset, readRest(offset), onFetched, signal);
    return path;
  }

  /** Where a bundle is that came whole; undefined when it is not there. */
  async find(source: string, reader: Pick<BundleReader, 'sizeBytes' | 'validator'>): Promise<string | undefined> {
    const path = join(this.#options.folder, nameOf(source, reader));
    const isReadable = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
    return isReadable && (await sizeOf(path)) === reader.sizeBytes ? path : undefined;
  }

  /** A copy for RAUC, which takes what it installs for its own, so that the agent could read it no more. */
  async copy(path: string): Promise<string> {
    const copy = join(this.#options.folder, `${GIVEN}${basename(path)}`);
    await rm(copy, { force: true });
    try {
      await copyFile(path, copy, constants.COPYFILE_FICLONE);
      return copy;
    } catch {
      // It cannot be kept then, but installed it can.
      await rm(copy, { force: true });
      return path;
    }
  }

  /** Removes the copies. */
  async removeCopies(): Promise<void> {
    await this.#remove((name) => name.startsWith(GIVEN));
  }

  /** Removes every bundle but the one of that name. */
  async clear(except = ''): Promise<void> {
    await this.#remove((name) => name !== except);
  }

  async #remove(which: (name: string) => boolean): Promise<void> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch(() => []);
    await Promise.all(names.filter(which).map((name) => rm(join(folder, name), { force: true })));
  }

  /** Whether so much may be brought here; what lies here makes room for it. */
  async fits(sizeBytes: number): Promise<boolean> {
    const { folder, maximumBytes } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const names = await readdir(folder);
    const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, name))));
    const lyingBytes = sizes.reduce((sum, size) => sum + size, 0);
    return sizeBytes <= maximumBytes && sizeBytes <= (await this.#freeBytes()) + lyingBytes;
  }

  async #freeBytes(): Promise<number> {
    const { folder, reserveBytes } = this.#options;
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize - reserveBytes;
  }

  async #requireSpace(neededBytes: number): Promise<void> {
    const freeBytes = await this.#freeBytes();
    if (freeBytes >= neededBytes) return;
    throw new Failure('NO_SPACE', `Cannot fetch the bundle: it needs ${neededBytes} bytes, and ${Math.max(freeBytes, 0)} are free for it`);
  }
}

/** 0 where there is none. */
function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The same for the same content from the same place. */
function nameOf(source: string, { validator, sizeBytes }: Pick<BundleReader, 'sizeBytes' | 'validator'>): string {
  const identity = JSON.stringify([source, sizeBytes, validator]);
  return `${createHash('sha256').update(identity).digest('hex').slice(0, 32)}.raucb`;
}

async function write(
  path: string,
  offset: number,
  pieces: AsyncIterable<Buffer>,
  onFetched: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(path, offset > 0 ? 'r+' : 'w', 0o644);
  try {
    let position = offset;
    let durable = offset;
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await writeWhole(file, piece, position);
      position += piece.length;
      onFetched(position);
      if (position - durable >= SYNC_EVERY_BYTES) {
        await file.datasync();
        durable = position;
      }
    }
    await file.sync();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    throw new Failure('NO_SPACE', 'Cannot fetch the bundle: the data file system is full', {}, { cause: error });
  } finally {
    await file.close();
  }
}

/** A disk that is nearly full takes a part of a piece before it refuses the rest. */
async function writeWhole(file: FileHandle, piece: Buffer, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, position + done);
    done += bytesWritten;
  }
}
