// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { type Evidence, readEvidence, writeEvidence } from '../attest/evidence.ts';
import { type Policy, readPolicy } from '../attest/policy.ts';
import type { Verdict } from '../attest/verdict.ts';
import { isMissing, openInput } from '../input-file.ts';
import type { Attestation } from './attest-node.ts';

/** What comes before the first line. */
const BEGINNING = '0'.repeat(64);

const Line = v.strictObject({
  /** SHA-256 of the line before, without its end. */
  previous: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  node: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  verdict: v.looseObject({ verdict: v.picklist(['TRUSTED', 'TRUSTED (first use)', 'REJECTED', 'UNATTESTED', 'UNKNOWN']) }),
  /** Both are there whenever the node gave evidence. */
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

/** Appends verdicts to a file whose lines each hold the hash of the one before. Throws CONFIG_INVALID. */
export async function appendToRecord(file: string, judged: readonly (Attestation & { readonly node: string })[]): Promise<void> {
  const unlock = await lock(file);
  try {
    let previous = BEGINNING;
    for await (const { sha256 } of readRecord(file, true)) previous = sha256;
    const lines = judged.map(({ node, time, verdict, evidence, policy }) => {
      const parts = { ...(evidence && { evidence: JSON.parse(writeEvidence(evidence)) as unknown }), ...(policy && { policy }) };
      const line = JSON.stringify({ previous, node, time, verdict, ...parts });
      previous = hashOf(line);
      return `${line}\n`;
    });
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.writeFile(lines.join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await unlock();
  }
}

/** Reads a record from its start, and throws CONFIG_INVALID at the first line that is not what was written. */
export async function* readRecord(file: string, mayBeMissing = false): AsyncGenerator<RecordedVerdict> {
  const lines = await linesOf(file, mayBeMissing);
  let previous = BEGINNING;
  let number = 0;
  for await (const text of lines) {
    number++;
    const { success, output } = v.safeParse(Line, json(text));
    if (!success) throw broken(file, number, 'it is not as lamactl writes it');
    if (output.previous !== previous)
      throw broken(file, number, 'it does not follow on the line before: one of the two was changed, or lines between them taken out');
    previous = hashOf(text);
    const { node, time } = output;
    const parts = {
      ...(output.evidence === undefined ? {} : { evidence: readEvidence(Buffer.from(JSON.stringify(output.evidence))) }),
      ...(output.policy === undefined ? {} : { policy: readPolicy(JSON.stringify(output.policy), file) }),
    };
    yield { line: number, sha256: previous, node, time, verdict: output.verdict as unknown as Verdict, ...parts };
  }
}

async function linesOf(file: string, mayBeMissing: boolean): Promise<AsyncIterable<string>> {
  const handle = await openInput(file).catch((error: unknown) => {
    if (mayBeMissing && isMissing(error)) return undefined;
    throw error;
  });
  if (!handle) return nothing();
  return createInterface({ input: handle.createReadStream({ encoding: 'utf8' }), crlfDelay: Number.POSITIVE_INFINITY });
}

async function* nothing(): AsyncGenerator<string> {}

/** Two that append at once would both follow on the same line. */
async function lock(file: string): Promise<() => Promise<void>> {
  const name = `${file}.lock`;
  try {
    await (await open(name, 'wx', 0o600)).close();
  } catch (error) {
    const found =
      (error as NodeJS.ErrnoException).code === 'EEXIST'
        ? `another lamactl writes to it; if there is none, remove ${name}`
        : (error as Error).message;
    throw new Failure('CONFIG_INVALID', `Cannot append to ${file}: ${found}`, { file });
  }
  return () => rm(name, { force: true });
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

function broken(file: string, line: number, found: string): Failure {
  return new Failure('EVIDENCE_INVALID', `Cannot trust the record ${file}: line ${line}: ${found}`, { file, line: String(line) });
}
