// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../byte-reader.ts';
import { ALG, type Bank, digestBytes, strongHash } from '../tpm/algorithms.ts';
import { EVENT } from './event-types.ts';

/** One entry of the firmware's log: TCG_PCR_EVENT2, PC Client Platform Firmware Profile 1.06, 10.2.2. */
export interface FirmwareEvent {
  /** Its place in the log; the Spec ID event, which is not among the events, is 0. */
  readonly index: number;
  readonly pcr: number;
  readonly type: number;
  /** Of the strong banks that the log has. */
  readonly digests: ReadonlyMap<Bank, Buffer>;
  /** Whether every digest, those of weak banks too, is zero. */
  readonly digestsAreZero: boolean;
  readonly data: Buffer;
}

export interface EventLog {
  /** The strong banks for which each event has a digest. Empty of a log that is SHA-1's alone. */
  readonly banks: ReadonlySet<Bank>;
  readonly events: readonly FirmwareEvent[];
}

/** Logs of real machines have some 60 KB and 200 events. */
export const EVENT_LOG_LIMIT_BYTES = 4 * 1024 * 1024;
const EVENTS_LIMIT = 16_384;
const ALGORITHMS_LIMIT = 8;
const DIGEST_LIMIT_BYTES = 64;
const LAST_PCR = 23;
/** The PCR of events that are not for any: SP 800-155 events carry it. */
const NO_PCR = 0xffffffff;
const SHA1_BYTES = 20;
export const SPEC_ID_SIGNATURE = 'Spec ID Event03\0';

/**
 * Reads a log in the crypto-agile form (10.2), strictly: each event has exactly the digests that the Spec ID event lists, in
 * any order, and nothing follows the last one. It judges nothing else. Throws EVIDENCE_INVALID.
 */
export function readEventLog(bytes: Buffer): EventLog {
  const reader = new ByteReader(bytes, 'the firmware event log', 'little');
  reader.limited(bytes.length, EVENT_LOG_LIMIT_BYTES, 'its size');
  if (bytes.length === 0) return { banks: new Set(), events: [] };
  const sizes = readSpecId(reader);
  const banks = new Set([...sizes.keys()].map(strongHash).filter((bank) => bank !== undefined));
  const events: FirmwareEvent[] = [];
  // A log that is SHA-1's alone is refused by what it lacks; its events would be in another form.
  while (banks.size > 0 && reader.left > 0) {
    reader.limited(events.length + 1, EVENTS_LIMIT, 'the number of its events');
    events.push(readEvent(reader, sizes, events.length + 1));
  }
  return { banks, events };
}

/** The sizes of digests by algorithm. */
type DigestSizes = ReadonlyMap<number, number>;

/** TCG_PCR_EVENT with a TCG_EfiSpecIDEvent: 10.4.5.1. */
function readSpecId(reader: ByteReader): DigestSizes {
  const pcr = reader.u32();
  const type = reader.u32();
  reader.take(SHA1_BYTES);
  const data = new ByteReader(reader.take(reader.u32()), 'the Spec ID event', 'little');
  if (pcr !== 0 || type !== EVENT.NO_ACTION || !startsWith(data, SPEC_ID_SIGNATURE)) return new Map([[ALG.SHA1, SHA1_BYTES]]);
  // platformClass, the version's three numbers, uintnSize.
  data.take(8);
  const count = data.limited(data.u32(), ALGORITHMS_LIMIT, 'the number of its algorithms');
  const sizes = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const algorithm = data.u16();
    if (sizes.has(algorithm)) throw data.wrong(`algorithm 0x${algorithm.toString(16)} comes twice`);
    sizes.set(algorithm, readDigestSize(data, algorithm));
  }
  data.take(data.u8());
  data.end();
  return sizes;
}

function readDigestSize(data: ByteReader, algorithm: number): number {
  const size = data.limited(data.u16(), DIGEST_LIMIT_BYTES, 'the size of a digest');
  const bank = strongHash(algorithm);
  if (bank && size !== digestBytes(bank)) throw data.wrong(`a digest of ${bank} has ${size} bytes`);
  return size;
}

function startsWith(data: ByteReader, signature: string): boolean {
  return data.left >= signature.length && data.take(signature.length).equals(Buffer.from(signature, 'latin1'));
}

function readEvent(reader: ByteReader, sizes: DigestSizes, index: number): FirmwareEvent {
  const pcr = reader.u32();
  const type = reader.u32();
  if (pcr > LAST_PCR && !(pcr === NO_PCR && type === EVENT.NO_ACTION)) throw reader.wrong(`event ${index} is for PCR ${pcr}`);
  const all = readDigests(reader, sizes, index);
  const data = reader.take(reader.u32());
  const strong = [...all].flatMap(([algorithm, digest]) => {
    const bank = strongHash(algorithm);
    return bank ? [[bank, digest] as const] : [];
  });
  const digestsAreZero = [...all.values()].every((digest) => digest.every((octet) => octet === 0));
  return { index, pcr, type, digests: new Map(strong), digestsAreZero, data };
}

/** TPML_DIGEST_VALUES. */
function readDigests(reader: ByteReader, sizes: DigestSizes, index: number): ReadonlyMap<number, Buffer> {
  const count = reader.u32();
  if (count !== sizes.size) throw reader.wrong(`event ${index} has ${count} digests, and the log says ${sizes.size}`);
  const digests = new Map<number, Buffer>();
  for (let read = 0; read < count; read++) {
    const algorithm = reader.u16();
    const size = sizes.get(algorithm);
    if (size === undefined || digests.has(algorithm)) {
      throw reader.wrong(`event ${index} has a digest of 0x${algorithm.toString(16)}, which the log does not list, or twice`);
    }
    digests.set(algorithm, reader.take(size));
  }
  return digests;
}
