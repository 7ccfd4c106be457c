// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open } from 'node:fs/promises';
import { CHAIN_START, lineHash } from '../../shared/audit-chain.ts';
import { Failure } from '../../shared/failure.ts';
import { writeEvidence } from '../attest/evidence.ts';
import { lockFile } from '../file-lock.ts';
import { openInput } from '../input-file.ts';
import type { Attestation } from './attest-node.ts';
import { endOfLines, linesOf } from './record-lines.ts';
import { type RecordedLine, readLine, type Told, toldBy } from './recorded-line.ts';

const ZEROS = /^\0*$/;

/** One verdict of the past with all that it rests on, so that it can be judged again. */
export interface RecordedVerdict extends Told {
  /** From 1. */
  readonly line: number;
  /** SHA-256 of the line: whoever knows that of the last line can tell whether anything was taken away at the end. */
  readonly sha256: string;
}

/**
 * Appends verdicts to a file whose lines each hold the hash of the one before; only how the file ends is looked at. Throws
 * CONFIG_INVALID, and EVIDENCE_INVALID when the last line is none of lamactl's.
 */
export async function appendToRecord(file: string, judged: readonly (Attestation & { readonly node: string })[]): Promise<void> {
  const unlock = await lockFile(file);
  try {
    const handle = await openToAppend(file);
    await append(handle, file, judged).finally(() => handle.close());
  } finally {
    await unlock();
  }
}

async function append(handle: FileHandle, file: string, judged: readonly (Attestation & { readonly node: string })[]): Promise<void> {
  let previous = await closeLastLine(handle, file);
  const lines = judged.map(({ node, time, verdict, evidence, policy }) => {
    const parts = { ...(evidence && { evidence: JSON.parse(writeEvidence(evidence)) as unknown }), ...(policy && { policy }) };
    const line = JSON.stringify({ previous, node, time, verdict, ...parts });
    previous = lineHash(line);
    return `${line}\n`;
  });
  await handle.writeFile(lines.join(''));
  await handle.sync();
}

/** The hash that the next line follows on. What a power cut or a full disk left of a line is taken away: nobody was told that it was kept. */
async function closeLastLine(handle: FileHandle, file: string): Promise<string> {
  const end = await endOfLines(handle);
  if (!end) throw broken(file, 'its last line is longer than lamactl writes any');
  const { line, torn, tornAt } = end;
  if (line !== undefined && !readLine(line)) throw broken(file, 'its last line is not as lamactl writes it');
  const previous = line === undefined ? CHAIN_START : lineHash(line);
  if (torn === '') return previous;
  if (readLine(torn)?.previous === previous) {
    await handle.writeFile('\n');
    return lineHash(torn);
  }
  // Another file, given by mistake, is left as it is. Zeros are of a file system that wrote the size before the content.
  const beginning = `{"previous":"${previous}"`;
  const written = torn.slice(0, beginning.length).replace(/\0+$/, '');
  if (!beginning.startsWith(written) || (written !== beginning && !ZEROS.test(torn.slice(written.length))))
    throw broken(file, 'what follows its last line is not as lamactl writes it');
  await handle.truncate(tornAt);
  return previous;
}

/** Reads a record from its start. Throws EVIDENCE_INVALID at the first line that is not what was written, and CONFIG_INVALID. */
export async function* readRecord(file: string): AsyncGenerator<RecordedVerdict> {
  const handle = await openInput(file);
  let previous = CHAIN_START;
  let number = 0;
  for await (const text of linesOf(handle)) {
    number++;
    const line = text === undefined ? undefined : readLine(text);
    if (text === undefined || !line) throw broken(file, `line ${number}: it is not as lamactl writes it`, number);
    if (line.previous !== previous)
      throw broken(
        file,
        `line ${number}: it does not follow on the line before: one of the two was changed, or lines between them taken out`,
        number,
      );
    previous = lineHash(text);
    yield { line: number, sha256: previous, ...told(line, file, number) };
  }
  if (number === 0) throw broken(file, 'it has no lines');
}

function told(line: RecordedLine, file: string, number: number): Told {
  try {
    return toldBy(line);
  } catch (thrown) {
    throw broken(file, `line ${number}: ${Failure.from(thrown).message}`, number);
  }
}

async function openToAppend(file: string): Promise<FileHandle> {
  return open(file, 'a+', 0o600).catch((error: Error) => {
    throw new Failure('CONFIG_INVALID', `Cannot append to ${file}: ${error.message}`, { file });
  });
}

function broken(file: string, found: string, line?: number): Failure {
  const facts = { file, ...(line !== undefined && { line: String(line) }) };
  return new Failure('EVIDENCE_INVALID', `Cannot trust the record ${file}: ${found}`, facts);
}
