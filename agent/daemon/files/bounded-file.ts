// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

/**
 * The start of a regular file: all of it, or as many bytes as the limit. Anything but a regular file is an error, for a FIFO or a
 * device would hold a thread of the pool that all file access goes through.
 */
export async function readBounded(file: string, limitBytes: number): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is not a regular file`);
    return await buffer(handle.createReadStream({ end: limitBytes - 1, autoClose: false }));
  } finally {
    await handle.close();
  }
}
