// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CHAIN_START, type ChainLink, chainLinkOf, lineHash } from '../../shared/audit-chain.ts';
import { Failure } from '../../shared/failure.ts';
import { syncFolder } from '../../shared/sync-folder.ts';

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
  /** Refused calls of this caller that were not written down before this one. */
  readonly leftOut?: number;
}

/** The longest part of a line. The last entry, and what was cut off after it, is found in some lines' worth of the file's end. */
const MAX_REQUEST_BYTES = 32 << 10;
const TAIL_BYTES = 4 * MAX_REQUEST_BYTES;
const READ_BYTES = 128 << 10;

export interface AuditLimits {
  /** A file that has reached this size is put aside. */
  readonly fileBytes: number;
  /** So many files are kept beside the one that is written; what is older goes. */
  readonly oldFiles: number;
}

const LIMITS: AuditLimits = { fileBytes: 2 << 20, oldFiles: 7 };

/**
 * Append-only log of mutating calls: a JSON document a line, each with the SHA-256 of the line before it, so that a line
 * taken out or changed shows. Lines are on the disk before the call is answered. The log is bounded: full files are put aside
 * as audit.log.1, .2, …, and the chain goes on from file to file.
 */
export class AuditLog {
  readonly #path: string;
  readonly #limits: AuditLimits;
  #file: FileHandle;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(path: string, limits: AuditLimits, file: FileHandle) {
    this.#path = path;
    this.#limits = limits;
    this.#file = file;
  }

  static async open(path: string, limits = LIMITS): Promise<AuditLog> {
    return new AuditLog(path, limits, await open(path, 'a+', 0o640));
  }

  /** All that is kept, oldest first, as it is now. */
  async *read(): AsyncGenerator<Buffer> {
    const opened = this.#queue.then(() => this.#openAll());
    this.#queue = opened.catch(() => undefined);
    const files = await opened;
    try {
      for (const { file, sizeBytes } of files) {
        if (sizeBytes > 0) yield* file.createReadStream({ start: 0, end: sizeBytes - 1, highWaterMark: READ_BYTES, autoClose: false });
      }
    } finally {
      await Promise.all(files.map(({ file }) => file.close()));
    }
  }

  /** Resolves when the entry is on the disk. Fails with JOURNAL_UNWRITABLE. */
  append(entry: AuditEntry): Promise<void> {
    const done = this.#queue.then(() => this.#append(entry));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #append(entry: AuditEntry): Promise<void> {
    try {
      const link = await this.#closeLastLine();
      if ((await this.#file.stat()).size >= this.#limits.fileBytes) await this.#putAside();
      await this.#file.appendFile(`${JSON.stringify({ ...entry, request: bounded(entry.request), ...link })}\n`);
      await this.#file.datasync();
    } catch (error) {
      throw new Failure('JOURNAL_UNWRITABLE', `Cannot write the audit log: ${(error as Error).message}`, {}, { cause: error });
    }
  }

  /** What the next entry follows, as it is on the disk, whoever wrote it. */
  async #closeLastLine(): Promise<ChainLink> {
    const tail = await lastLines(this.#file);
    // A power cut or a full disk leaves half a line; it is closed off, and named by the entry after it.
    if (tail.at(-1) !== '') await this.#file.appendFile('\n');
    // A new file goes on from the one that was put aside before it.
    const lines = (tail.some(chainLinkOf) ? tail : [...(await this.#lastLinesAside()), ...tail]).filter((line) => line !== '');
    const last = lines.findLastIndex(chainLinkOf);
    const cutOff = lines.slice(last + 1);
    const whole = last < 0 ? CHAIN_START : lineHash(lines[last] as string);
    return cutOff.length === 0 ? { previous: whole } : { previous: lineHash(cutOff.join('\n')), lastWhole: whole };
  }

  async #lastLinesAside(): Promise<string[]> {
    const aside = await openIfThere(this.#aside(1));
    if (!aside) return [];
    try {
      return await lastLines(aside);
    } finally {
      await aside.close();
    }
  }

  async #putAside(): Promise<void> {
    for (let number = this.#limits.oldFiles; number >= 1; number -= 1) {
      const from = number === 1 ? this.#path : this.#aside(number - 1);
      await rename(from, this.#aside(number)).catch(ignoreMissing);
    }
    const full = this.#file;
    this.#file = await open(this.#path, 'a+', 0o640);
    await full.close();
    await syncFolder(dirname(this.#path));
  }

  async #openAll(): Promise<{ readonly file: FileHandle; readonly sizeBytes: number }[]> {
    const numbers = Array.from({ length: this.#limits.oldFiles }, (_, index) => this.#limits.oldFiles - index);
    const files = await Promise.all([...numbers.map((number) => this.#aside(number)), this.#path].map(openIfThere));
    const there = files.filter((file) => file !== undefined);
    return Promise.all(there.map(async (file) => ({ file, sizeBytes: (await file.stat()).size })));
  }

  #aside(number: number): string {
    return `${this.#path}.${number}`;
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

/** The lines at the end of a file, the last after its last line feed. */
async function lastLines(file: FileHandle): Promise<string[]> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  await file.read(tail, 0, tail.length, size - tail.length);
  return tail.toString('utf8').split('\n');
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
