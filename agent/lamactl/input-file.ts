// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../shared/failure.ts';

/** How a file that cannot be read is spoken of. */
interface Wording {
  /** What it is; its path alone unless said otherwise. */
  readonly name?: string;
  /** What to do when it is not there. */
  readonly ifMissing?: string;
}

/** The whole of a regular file, if it is not above the limit. Throws CONFIG_INVALID. */
export async function readInput(file: string, limitBytes: number, wording: Wording = {}): Promise<Buffer> {
  const handle = await openInput(file, wording);
  try {
    const { size } = await handle.stat();
    if (size > limitBytes) throw unusable(file, `it has ${size} bytes, and ${limitBytes} are the most`, wording);
    // Files that the kernel makes up, such as event logs, say that they have no bytes.
    const bytes = Buffer.alloc(Math.min(size || KERNEL_FILE_BYTES, limitBytes) + 1);
    const sizeBytes = await fill(bytes, (rest, at) => handle.read(rest, 0, rest.length, at));
    if (sizeBytes === bytes.length) throw unusable(file, `it has more than ${bytes.length - 1} bytes`, wording);
    return bytes.subarray(0, sizeBytes);
  } finally {
    await handle.close();
  }
}

/** A regular file, open to be read: a pipe, which could keep its reader waiting for ever, is none. Throws CONFIG_INVALID. */
export async function openInput(file: string, wording: Wording = {}): Promise<FileHandle> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw unusable(file, whyClosed(error, wording), wording, error);
  });
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw unusable(file, 'it is not a file', wording);
}

/** Whether what a reader of files threw says that there is none. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof Failure && (thrown.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
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

function whyClosed({ code, message }: NodeJS.ErrnoException, { ifMissing }: Wording): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return ['it does not exist', ...(ifMissing === undefined ? [] : [ifMissing])].join('; ');
    case 'EACCES':
      return 'its permissions keep you from reading it';
    default:
      return message;
  }
}

function unusable(file: string, found: string, { name = file }: Wording, cause?: Error): Failure {
  return new Failure('CONFIG_INVALID', `Cannot read ${name}: ${found}`, { file }, { cause });
}
