// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 64 << 10;
const NEWLINE = 0x0a;
/** Above evidence at its largest with its policy. */
const LINE_LIMIT_BYTES = 64 << 20;

/** The lines of a file, without their ends; what follows the last end counts as one. Undefined for one that is too long, which is the last. */
export async function* linesOf(handle: FileHandle): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of handle.createReadStream({ highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      yield Buffer.concat([...parts, chunk.subarray(at, end)]).toString('utf8');
      [parts, sizeBytes, at] = [[], 0, end + 1];
    }
    parts.push(chunk.subarray(at));
    sizeBytes += chunk.length - at;
    if (sizeBytes > LINE_LIMIT_BYTES) return yield undefined;
  }
  if (sizeBytes > 0) yield Buffer.concat(parts).toString('utf8');
}

export interface EndOfLines {
  /** The last line that has an end, without it; undefined when there is none. */
  readonly line: string | undefined;
  /** What follows it. */
  readonly torn: string;
  /** Where that begins. */
  readonly tornAt: number;
}

/** How a file of lines ends, read from its end: however long it is, only its last lines are looked at. Undefined when they are too long. */
export async function endOfLines(handle: FileHandle): Promise<EndOfLines | undefined> {
  const { size } = await handle.stat();
  const end = await newlineBefore(handle, size);
  const torn = end === undefined ? undefined : await textBetween(handle, end + 1, size);
  if (end === undefined || torn === undefined) return undefined;
  if (end < 0) return { line: undefined, torn, tornAt: 0 };
  const start = await newlineBefore(handle, end);
  const line = start === undefined ? undefined : await textBetween(handle, start + 1, end);
  return line === undefined ? undefined : { line, torn, tornAt: end + 1 };
}

/** Where the last newline before a place is; -1 when there is none, undefined when it is too far away. */
async function newlineBefore(handle: FileHandle, end: number): Promise<number | undefined> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let to = end; to > 0; ) {
    if (end - to > LINE_LIMIT_BYTES) return undefined;
    const from = Math.max(0, to - CHUNK_BYTES);
    await handle.read(chunk, 0, to - from, from);
    const at = chunk.subarray(0, to - from).lastIndexOf(NEWLINE);
    if (at >= 0) return from + at;
    to = from;
  }
  return -1;
}

async function textBetween(handle: FileHandle, from: number, to: number): Promise<string | undefined> {
  if (to - from > LINE_LIMIT_BYTES) return undefined;
  const bytes = Buffer.alloc(to - from);
  await handle.read(bytes, 0, bytes.length, from);
  return bytes.toString('utf8');
}
