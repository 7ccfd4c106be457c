// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';

/** The whole of a regular file that a command line names, if it is not above the limit. Throws CONFIG_INVALID. */
export async function readInput(file: string, limitBytes: number): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw unusable(file, error.code === 'ENOENT' ? 'it does not exist' : error.message);
  });
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw unusable(file, 'it is no file');
    if (status.size > limitBytes) throw unusable(file, `it has ${status.size} bytes, and ${limitBytes} are the most`);
    // Files that the kernel makes up, such as event logs, say that they have no bytes.
    const bytes = Buffer.alloc(Math.min(status.size || KERNEL_FILE_BYTES, limitBytes) + 1);
    const sizeBytes = await fill(bytes, (rest, at) => handle.read(rest, 0, rest.length, at));
    if (sizeBytes === bytes.length) throw unusable(file, `it has more than ${bytes.length - 1} bytes`);
    return bytes.subarray(0, sizeBytes);
  } finally {
    await handle.close();
  }
}

const KERNEL_FILE_BYTES = 4 * 1024 * 1024;

async function fill(bytes: Buffer, read: (rest: Buffer, at: number) => Promise<{ bytesRead: number }>): Promise<number> {
  let sizeBytes = 0;
  while (sizeBytes < bytes.length) {
    const { bytesRead } = await read(bytes.subarray(sizeBytes), sizeBytes);
    if (bytesRead === 0) break;
    sizeBytes += bytesRead;
  }
  return sizeBytes;
}

function unusable(file: string, found: string): Failure {
  return new Failure('CONFIG_INVALID', `Cannot read ${file}: ${found}`, { file });
}
