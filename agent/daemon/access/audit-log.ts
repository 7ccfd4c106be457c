// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';

/** One call that changed the node, or was refused to. */
export interface AuditEntry {
  readonly at: string;
  readonly caller: string;
  readonly role: string;
  readonly certificateSha256: string;
  readonly rpc: string;
  /** OK, or the failure's code. */
  readonly result: string;
  /** What was asked for, with nothing that is secret. */
  readonly request: unknown;
}

const FIRST = '0'.repeat(64);
/** The last line is found in this much of the file's end: twice a request, the longest part of a line. */
const TAIL_BYTES = 64 << 10;
const MAX_REQUEST_BYTES = TAIL_BYTES / 2;

/**
 * Append-only log of mutating calls: a JSON document a line, each with the SHA-256 of the line before it, so that a line
 * taken out or changed shows. Lines are on the disk before the call is answered.
 */
export class AuditLog {
  readonly #file: FileHandle;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<AuditLog> {
    return new AuditLog(await open(path, 'a+', 0o640));
  }

  /** Resolves when the entry is on the disk. Fails with JOURNAL_UNWRITABLE. */
  append(entry: AuditEntry): Promise<void> {
    const done = this.#queue.then(() => this.#append(entry));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #append(entry: AuditEntry): Promise<void> {
    try {
      const previous = await this.#closeLastLine();
      await this.#file.appendFile(`${JSON.stringify({ ...entry, request: bounded(entry.request), previous })}\n`);
      await this.#file.datasync();
    } catch (error) {
      throw new Failure('JOURNAL_UNWRITABLE', `Cannot write the audit log: ${(error as Error).message}`, {}, { cause: error });
    }
  }

  /** The hash of the last line as it is on the disk, whoever wrote it. */
  async #closeLastLine(): Promise<string> {
    const { size } = await this.#file.stat();
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    await this.#file.read(tail, 0, tail.length, size - tail.length);
    const lines = tail.toString('utf8').split('\n');
    // A power cut or a full disk leaves half a line; it is closed off, and hashed like any other, so that the cut shows as well.
    if (lines.at(-1) !== '') await this.#file.appendFile('\n');
    const last = lines.findLast((line) => line !== '');
    return last === undefined ? FIRST : sha256(last);
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#file.close();
  }
}

/** No request that is answered is anywhere near as long as one that is left out. */
function bounded(request: unknown): unknown {
  const sizeBytes = Buffer.byteLength(JSON.stringify(request) ?? '');
  return sizeBytes > MAX_REQUEST_BYTES ? `left out: ${sizeBytes} bytes` : request;
}

/** The number of the first line (from 1) that does not follow from the one before it; undefined when all do. */
export function firstBrokenLine(log: string): number | undefined {
  let previous = FIRST;
  for (const [index, line] of log.split('\n').entries()) {
    if (line === '') continue;
    if (previousOf(line) !== previous) return index + 1;
    previous = sha256(line);
  }
  return undefined;
}

function previousOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { previous?: string }).previous;
  } catch {
    return undefined;
  }
}

const sha256 = (line: string): string => createHash('sha256').update(line).digest('hex');
