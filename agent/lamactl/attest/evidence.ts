// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { NONCE_BYTES } from '../../shared/qualifying-data.ts';
import { unreadable } from './byte-reader.ts';
import { EVENT_LOG_LIMIT_BYTES } from './event-log/event-log.ts';
import { IMA_LOG_LIMIT_BYTES } from './ima-log.ts';
import { BANKS, digestBytes } from './tpm/algorithms.ts';
import { USERSPACE_LOG_LIMIT_BYTES } from './userspace-log.ts';

const SHA256_BYTES = digestBytes('sha256');
/** Above every TPM2B_PUBLIC, TPMS_ATTEST and TPMT_SIGNATURE. */
const STRUCTURE_LIMIT_BYTES = 2048;
const CERTIFICATE_LIMIT_BYTES = 16 * 1024;
const PCR_NUMBER = /^(?:[0-9]|1[0-9]|2[0-3])$/;
/** The logs at their largest, in base64, and room for the rest. */
export const EVIDENCE_LIMIT_BYTES = 32 * 1024 * 1024;

/** Canonical base64 of so many bytes. */
function bytes(leastBytes: number, mostBytes: number) {
  return v.pipe(
    v.string(),
    v.maxLength(Math.ceil(mostBytes / 3) * 4),
    v.transform((text) => ({ text, decoded: Buffer.from(text, 'base64') })),
    v.check(({ text, decoded }) => decoded.toString('base64') === text, 'no base64'),
    v.transform(({ decoded }): Buffer => decoded),
    v.check(({ length }) => length >= leastBytes && length <= mostBytes, `not of ${leastBytes} to ${mostBytes} bytes`),
  );
}

/** The document as docs/ATTESTATION.md describes it, field by field. */
const schema = v.strictObject({
  nonce: bytes(NONCE_BYTES, NONCE_BYTES),
  server_certificate_sha256: bytes(SHA256_BYTES, SHA256_BYTES),
  client_certificate_sha256: bytes(SHA256_BYTES, SHA256_BYTES),
  /** Empty where the TPM has none. */
  ek_certificate: bytes(0, CERTIFICATE_LIMIT_BYTES),
  ek_public: bytes(1, STRUCTURE_LIMIT_BYTES),
  ak_public: bytes(1, STRUCTURE_LIMIT_BYTES),
  attest: bytes(1, STRUCTURE_LIMIT_BYTES),
  signature: bytes(1, STRUCTURE_LIMIT_BYTES),
  pcr_bank: v.picklist(['sha1', ...BANKS]),
  pcr_values: v.record(v.pipe(v.string(), v.regex(PCR_NUMBER)), bytes(1, digestBytes('sha512'))),
  event_log: bytes(0, EVENT_LOG_LIMIT_BYTES),
  userspace_log: bytes(0, USERSPACE_LOG_LIMIT_BYTES),
  ima_log: bytes(0, IMA_LOG_LIMIT_BYTES),
  /** When lamactl received it, by lamactl's clock. */
  time: v.pipe(v.string(), v.isoTimestamp()),
});

/** What a node says of itself, raw: nothing of it is believed before it is verified. */
export type Evidence = v.InferOutput<typeof schema>;

/** Reads an evidence file. Throws EVIDENCE_INVALID that names the field. */
export function readEvidence(document: Buffer): Evidence {
  if (document.length > EVIDENCE_LIMIT_BYTES) throw wrong(`it has ${document.length} bytes, and ${EVIDENCE_LIMIT_BYTES} are the most`);
  return evidenceIn(json(document));
}

/** The same of a document that was parsed already. Throws EVIDENCE_INVALID. */
export function evidenceIn(document: unknown): Evidence {
  const parsed = v.safeParse(schema, document, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw wrong(`field "${v.getDotPath(issue) ?? ''}" ${problem(issue)}`);
}

function problem({ type, expected, message }: v.BaseIssue<unknown>): string {
  if (type === 'check') return `is ${message}`;
  return expected === 'never' ? 'is none that it has' : `is not ${expected ?? 'what it should be'}`;
}

function json(document: Buffer): unknown {
  try {
    return JSON.parse(document.toString('utf8'));
  } catch {
    throw wrong('it is no JSON');
  }
}

/** The evidence as a file, to be read back by readEvidence. */
export function writeEvidence(evidence: Evidence): string {
  const text = (value: unknown): unknown => (Buffer.isBuffer(value) ? value.toString('base64') : value);
  const values = Object.fromEntries(Object.entries(evidence.pcr_values).map(([pcr, value]) => [pcr, text(value)]));
  const document = Object.fromEntries(Object.entries(evidence).map(([field, value]) => [field, text(value)]));
  return `${JSON.stringify({ ...document, pcr_values: values }, undefined, 2)}\n`;
}

function wrong(found: string) {
  return unreadable('the evidence', found);
}
