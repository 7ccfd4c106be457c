// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { unreadable } from './byte-reader.ts';
import { type Bank, digestBytes } from './tpm/algorithms.ts';

/** What systemd extended a PCR with after the firmware was gone. */
export interface UserspaceEvent {
  readonly index: number;
  readonly pcr: number;
  readonly digest: Buffer;
  /** Such as "phase", "machine-id", "volume-key". */
  readonly type: string;
  /** What was measured, or a description of it. */
  readonly text: string;
}

export const USERSPACE_LOG_LIMIT_BYTES = 1024 * 1024;
const EVENTS_LIMIT = 4096;
const RECORD_LIMIT_CHARACTERS = 16_384;
/** RFC 7464: each text begins with a record separator. */
const RECORD_SEPARATOR = '\x1e';

const schema = v.object({
  pcr: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(23))),
  digests: v.pipe(
    v.array(v.object({ hashAlg: v.string(), digest: v.pipe(v.string(), v.maxLength(128), v.regex(/^([0-9a-f]{2})*$/)) })),
    v.maxLength(8),
  ),
  content: v.optional(v.object({ eventType: v.optional(v.string()), string: v.optional(v.string()) })),
});

/**
 * Reads /run/log/systemd/tpm2-measure.log: JSON texts (RFC 7464) close to TCG's Canonical Event Log, CEL-JSON. Fields that
 * systemd adds are passed over; measurements into an NV index rather than a PCR too. Throws EVIDENCE_INVALID.
 */
export function readUserspaceLog(bytes: Buffer, bank: Bank): readonly UserspaceEvent[] {
  if (bytes.length > USERSPACE_LOG_LIMIT_BYTES) throw wrong(`it has ${bytes.length} bytes, and ${USERSPACE_LOG_LIMIT_BYTES} are the most`);
  const [before, ...records] = bytes.toString('utf8').split(RECORD_SEPARATOR, EVENTS_LIMIT + 2);
  if (before) throw wrong('it does not begin with a record separator');
  if (records.length > EVENTS_LIMIT) throw wrong(`it has more than ${EVENTS_LIMIT} events`);
  return records.flatMap((record, index) => readRecord(record, index, bank));
}

function readRecord(text: string, index: number, bank: Bank): readonly UserspaceEvent[] {
  if (text.length > RECORD_LIMIT_CHARACTERS) throw wrong(`event ${index} has ${text.length} characters`);
  const { success, output } = v.safeParse(schema, json(text, index));
  if (!success) throw wrong(`event ${index} is not as systemd writes it`);
  const { pcr, digests, content = {} } = output;
  if (pcr === undefined) return [];
  const [digest, another] = digests.filter(({ hashAlg }) => hashAlg === bank);
  if (!digest || another || digest.digest.length !== digestBytes(bank) * 2) throw wrong(`event ${index} has not one digest of ${bank}`);
  const { eventType: type = '', string = '' } = content;
  return [{ index, pcr, digest: Buffer.from(digest.digest, 'hex'), type, text: string }];
}

function json(text: string, index: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(`event ${index} is no JSON`);
  }
}

/** These are measured as their own text; systemd shortens that of a file system, and keeps what it measures of a volume key to itself. */
const DIGEST_COVERS_TEXT: ReadonlySet<string> = new Set(['phase', 'machine-id']);

/** Whether the text may be something else than what the PCR was extended with. */
export function hasUncoveredText({ type, text, digest }: UserspaceEvent, bank: Bank): boolean {
  return DIGEST_COVERS_TEXT.has(type) && !createHash(bank).update(text).digest().equals(digest);
}

function wrong(found: string) {
  return unreadable('the userspace log', found);
}
