// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../byte-reader.ts';
import { type PcrSelection, readPcrSelections } from './pcr-selection.ts';

/** TPM_GENERATED_VALUE, with which everything begins that a TPM itself signs: TPM 2.0 Part 2, 6.2. */
export const GENERATED_BY_TPM = 0xff544347;
/** TPM_ST_ATTEST_QUOTE: Part 2, 6.9. */
export const QUOTE_TYPE = 0x8018;

/** TPMS_CLOCK_INFO: Part 2, 10.11.1. */
interface ClockInfo {
  /** Milliseconds that the TPM was powered, since its last clear. */
  readonly clock: bigint;
  /** Resets of the TPM since its last clear: one a boot. */
  readonly resetCount: number;
  /** Restarts and resumes since the last reset. */
  readonly restartCount: number;
  /** Whether no later value of the clock was ever reported. */
  readonly safe: boolean;
}

/** TPMS_QUOTE_INFO: Part 2, 10.12.4. */
export interface QuoteInfo {
  readonly selections: readonly PcrSelection[];
  readonly digest: Buffer;
}

/** TPMS_ATTEST: Part 2, 10.12.12. */
export interface Attest {
  readonly magic: number;
  readonly type: number;
  readonly qualifiedSigner: Buffer;
  readonly extraData: Buffer;
  readonly clockInfo: ClockInfo;
  readonly firmwareVersion: bigint;
  /** Of a quote; undefined of any other type, whose remainder is not looked at. */
  readonly quote: QuoteInfo | undefined;
}

const NAME_LIMIT_BYTES = 66;
const DIGEST_LIMIT_BYTES = 64;

/** Reads TPMS_ATTEST without judging it: magic and type are the verifier's to check. Throws EVIDENCE_INVALID. */
export function readAttest(bytes: Buffer): Attest {
  const reader = new ByteReader(bytes, 'the quote', 'big');
  const magic = reader.u32();
  const type = reader.u16();
  const qualifiedSigner = reader.take(reader.limited(reader.u16(), NAME_LIMIT_BYTES, 'the size of qualifiedSigner'));
  const extraData = reader.take(reader.limited(reader.u16(), DIGEST_LIMIT_BYTES, 'the size of extraData'));
  const clockInfo = readClockInfo(reader);
  const firmwareVersion = reader.u64();
  const quote = type === QUOTE_TYPE ? readQuoteInfo(reader) : undefined;
  return { magic, type, qualifiedSigner, extraData, clockInfo, firmwareVersion, quote };
}

function readClockInfo(reader: ByteReader): ClockInfo {
  const [clock, resetCount, restartCount, safe] = [reader.u64(), reader.u32(), reader.u32(), reader.u8()];
  // TPMI_YES_NO: Part 2, 9.2.
  if (safe > 1) throw reader.wrong(`"safe" is ${safe}, which is neither yes nor no`);
  return { clock, resetCount, restartCount, safe: safe === 1 };
}

function readQuoteInfo(reader: ByteReader): QuoteInfo {
  const selections = readPcrSelections(reader);
  const digest = reader.take(reader.limited(reader.u16(), DIGEST_LIMIT_BYTES, 'the size of the PCR digest'));
  reader.end();
  return { selections, digest };
}
