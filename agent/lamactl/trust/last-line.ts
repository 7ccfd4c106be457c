// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 64 << 10;
const NEWLINE = 0x0a;

export interface EndOfLines {
  /** The last line that has an end, without it; undefined when there is none. */
  readonly line: string | undefined;
  /** What follows it. */
  readonly torn: string;
  /** Where that begins. */
  readonly tornAt: number;
}

/** How a file of lines ends, read from its end: however long it is, only its last lines are looked at. */
export async function endOfLines(handle: FileHandle): Promise<EndOfLines> {
  const { size } = await handle.stat();
  const end = await newlineBefore(handle, size);
  const torn = await textBetween(handle, end + 1, size);
  if (end < 0) return { line: undefined, torn, tornAt: 0 };
  return { line: await textBetween(handle, (await newlineBefore(handle, end)) + 1, end), torn, tornAt: end + 1 };
}

/** Where the last newline before a place is; -1 when there is none. */
async function newlineBefore(handle: FileHandle, end: number): Promise<number> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let to = end; to > 0; ) {
    const from = Math.max(0, to - CHUNK_BYTES);
    await handle.read(chunk, 0, to - from, from);
    const at = chunk.subarray(0, to - from).lastIndexOf(NEWLINE);
    if (at >= 0) return from + at;
    to = from;
  }
  return -1;
}

async function textBetween(handle: FileHandle, from: number, to: number): Promise<string> {
  const bytes = Buffer.alloc(to - from);
  await handle.read(bytes, 0, bytes.length, from);
  return bytes.toString('utf8');
}
