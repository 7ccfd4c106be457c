// SPDX-License-Identifier: Apache-2.0

import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { fileSha256 } from '../../shared/file-hash.ts';
import { openInput } from '../input-file.ts';

/** How a bundle on the administrator's disk is known to nodes. */
export interface BundleFileInfo {
  readonly name: string;
  readonly sizeBytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
}

/** A bundle on the administrator's disk, open for as long as nodes ask for parts of it. */
export class BundleFile {
  readonly info: BundleFileInfo;
  readonly #file: FileHandle;

  private constructor(file: FileHandle, info: BundleFileInfo) {
    this.#file = file;
    this.info = info;
  }

  /** Reads it once, for its hash. Throws BUNDLE_NOT_FOUND when it is no file that can be read. */
  static async open(path: string): Promise<BundleFile> {
    const wording = { name: `the bundle ${path}`, ifMissing: 'one that lies on the node goes with --on-node' };
    const file = await openInput(path, wording).catch((failure: Failure) => {
      throw new Failure('BUNDLE_NOT_FOUND', failure.message, {}, { cause: failure });
    });
    try {
      const { size } = await file.stat();
      if (size === 0) throw new Error('it is empty');
      return new BundleFile(file, { name: basename(path), sizeBytes: size, sha256: await fileSha256(path) });
    } catch (error) {
      await file.close();
      throw new Failure('BUNDLE_NOT_FOUND', `Cannot read the bundle ${path}: ${(error as Error).message}`, {}, { cause: error });
    }
  }

  /** A part of the file; a file that became shorter meanwhile is a failure. */
  async read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#file.read(buffer, 0, length, offset);
    if (bytesRead === length) return buffer;
    throw new Failure('BUNDLE_CHANGED', `Cannot go on giving the bundle ${this.info.name}: it became shorter`);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
