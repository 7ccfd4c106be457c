// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import { readBounded } from '../../files/bounded-file.ts';

const LIMIT_BYTES = 256 << 10;

/** What a file of /proc or /sys holds; undefined when it is not there. Throws when it may not be read. */
export function readKernelBytes(path: string): Promise<Buffer | undefined> {
  return readBounded(path, LIMIT_BYTES).catch(ifMissing(undefined));
}

/** The same as text, without the line's end. */
export async function readKernelFile(path: string): Promise<string | undefined> {
  return (await readKernelBytes(path))?.toString('utf8').trim();
}

/** The names in a folder of /proc or /sys; undefined when it is not there. */
export function listKernelFolder(path: string): Promise<string[] | undefined> {
  return readdir(path).catch(ifMissing(undefined));
}

/** A device may also go between two looks at it, which the kernel tells by ENODEV or ENXIO. */
const MISSING = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO']);

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (MISSING.has(error.code ?? '')) return value;
    throw error;
  };
}
