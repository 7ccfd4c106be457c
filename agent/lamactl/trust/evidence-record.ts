// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { type Evidence, readEvidence, writeEvidence } from '../attest/evidence.ts';
import { type Policy, readPolicy } from '../attest/policy.ts';
import type { Verdict } from '../attest/verdict.ts';
import { openInput } from '../input-file.ts';
import type { Attestation } from './attest-node.ts';
import { lockFile } from './file-lock.ts';
import { endOfLines } from './last-line.ts';

/** What comes before the first line. */
const BEGINNING = '0'.repeat(64);

const Line = v.strictObject({
  /** SHA-256 of the line before, without its end. */
  previous: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  node: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  verdict: v.looseObject({
    verdict: v.picklist(['TRUSTED', 'TRUSTED (first use)', 'REJECTED', 'UNATTESTED', 'UNKNOWN']),
    reason: v.optional(v.string()),
  }),
  /** Both are there whenever the node gave evidence that could be read. */
  evidence: v.optional(v.unknown()),
  policy: v.optional(v.unknown()),
});

/** One verdict of the past with all that it rests on, so that it can be judged again. */
export interface RecordedVerdict {
  /** From 1. */
  readonly line: number;
  /** SHA-256 of the line: whoever knows that of the last line can tell whether anything was taken away at the end. */
  readonly sha256: string;
  readonly node: string;
  readonly time: string;
  readonly verdict: Verdict;
  readonly evidence?: Evidence;
  readonly policy?: Policy;
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
    previous = hashOf(line);
    return `${line}\n`;
  });
  await handle.writeFile(lines.join(''));
  await handle.sync();
}

/** The hash that the next line follows on. What a power cut or a full disk left of a line is taken away: nobody was told that it was kept. */
async function closeLastLine(handle: FileHandle, file: string): Promise<string> {
  const { line, torn, tornAt } = await endOfLines(handle);
  if (line !== undefined && !parse(line)) throw broken(file, 'its last line is not as lamactl writes it');
  const previous = line === undefined ? BEGINNING : hashOf(line);
  if (torn === '') return previous;
  if (parse(torn)?.previous === previous) {
    await handle.writeFile('\n');
    return hashOf(torn);
  }
  // Another file, given by mistake, is left as it is.
  const beginning = `{"previous":"${previous}"`;
  if (!torn.startsWith(beginning.slice(0, torn.length))) throw broken(file, 'what follows its last line is not as lamactl writes it');
  await handle.truncate(tornAt);
  return previous;
}

/** Reads a record from its start. Throws EVIDENCE_INVALID at the first line that is not what was written, and CONFIG_INVALID. */
export async function* readRecord(file: string): AsyncGenerator<RecordedVerdict> {
  const handle = await openInput(file);
  const lines = createInterface({ input: handle.createReadStream({ encoding: 'utf8' }), crlfDelay: Number.POSITIVE_INFINITY });
  let previous = BEGINNING;
  let number = 0;
  for await (const text of lines) {
    number++;
    const output = parse(text);
    if (!output) throw broken(file, `line ${number}: it is not as lamactl writes it`, number);
    if (output.previous !== previous)
      throw broken(
        file,
        `line ${number}: it does not follow on the line before: one of the two was changed, or lines between them taken out`,
        number,
      );
    previous = hashOf(text);
    const { node, time } = output;
    const parts = {
      ...(output.evidence === undefined ? {} : { evidence: readEvidence(Buffer.from(JSON.stringify(output.evidence))) }),
      ...(output.policy === undefined ? {} : { policy: readPolicy(JSON.stringify(output.policy), file) }),
    };
    yield { line: number, sha256: previous, node, time, verdict: output.verdict as unknown as Verdict, ...parts };
  }
  if (number === 0) throw broken(file, 'it has no lines');
}

/** A line that can be judged again: what its verdict rests on is there, unless that is one that rests on nothing. */
function parse(text: string): v.InferOutput<typeof Line> | undefined {
  const { success, output } = v.safeParse(Line, json(text));
  if (!success) return undefined;
  const isWhole = output.evidence !== undefined && output.policy !== undefined;
  return isWhole || restsOnNothing(output.verdict) ? output : undefined;
}

/** Of a node that did not answer, has no TPM, or sent what cannot be read. */
function restsOnNothing({ verdict, reason }: v.InferOutput<typeof Line>['verdict']): boolean {
  return verdict === 'UNATTESTED' || verdict === 'UNKNOWN' || (verdict === 'REJECTED' && (reason === 'malformed' || reason === 'tpm-gone'));
}

async function openToAppend(file: string): Promise<FileHandle> {
  return open(file, 'a+', 0o600).catch((error: Error) => {
    throw new Failure('CONFIG_INVALID', `Cannot append to ${file}: ${error.message}`, { file });
  });
}

function hashOf(line: string): string {
  return createHash('sha256').update(line).digest('hex');
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function broken(file: string, found: string, line?: number): Failure {
  const facts = { file, ...(line !== undefined && { line: String(line) }) };
  return new Failure('EVIDENCE_INVALID', `Cannot trust the record ${file}: ${found}`, facts);
}
