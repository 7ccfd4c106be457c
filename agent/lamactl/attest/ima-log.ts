// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { ByteReader, unreadable } from './byte-reader.ts';
import { extend, resetValue } from './pcr-bank.ts';
import { type Bank, digestBytes } from './tpm/algorithms.ts';

/** A file that the kernel measured before it was used: templates ima-ng and ima-sig, Documentation/security/IMA-templates.rst. */
export interface ImaEntry {
  /** Its line, from 1. */
  readonly line: number;
  /** As "sha256:<hex>". */
  readonly fileHash: string;
  readonly path: string;
  /** Whether the kernel noticed that the file was changed while it was measured. */
  readonly isViolation: boolean;
  /** What the kernel hashes, in each bank by itself, to extend PCR 10 with. */
  readonly template: Buffer;
}

export const IMA_PCR = 10;
export const IMA_LOG_LIMIT_BYTES = 16 * 1024 * 1024;
const ENTRIES_LIMIT = 200_000;
const LINE_LIMIT_CHARACTERS = 16_384;
const FIELD_LIMIT_BYTES = 8192;
const SHA1_BYTES = 20;
const TEMPLATES: ReadonlyMap<string, number> = new Map([
  ['ima-ng', 2],
  ['ima-sig', 3],
]);

/** Reads ascii_runtime_measurements or binary_runtime_measurements, told apart by their first byte. Throws EVIDENCE_INVALID. */
export function readImaLog(bytes: Buffer): readonly ImaEntry[] {
  // The agent sends no more than that.
  if (bytes.length >= IMA_LOG_LIMIT_BYTES) throw wrong('so much ran since the boot that it has 16 MiB or more: reboot the node');
  // "10 …" in text; 10 as a 32-bit number in binary.
  return bytes[0] === IMA_PCR ? readBinary(bytes) : readText(bytes.toString('latin1'));
}

function readText(text: string): readonly ImaEntry[] {
  const lines = text.split('\n', ENTRIES_LIMIT + 2);
  if (lines.length > ENTRIES_LIMIT + 1) throw wrong(`it has more than ${ENTRIES_LIMIT} entries`);
  if (lines.pop() !== '') throw wrong('its last line has no end');
  return lines.map((line, index) => readLine(line, index + 1));
}

/**
 * Spaces in names are underscores: the kernel replaces them before it measures. It prints every other byte as it is, so that a name
 * with the end of a line in it can be read in the binary log alone.
 */
function readLine(text: string, line: number): ImaEntry {
  if (text.length > LINE_LIMIT_CHARACTERS) throw wrong(`line ${line} has ${text.length} characters`);
  const [pcr, digest = '', template = '', fileHash = '', path, signature = '', ...more] = text.split(' ');
  const [, algorithm, hex] = /^([a-z0-9-]{1,16}):((?:[0-9a-f]{2}){1,64})$/.exec(fileHash) ?? [];
  const fields = TEMPLATES.get(template);
  const isHex = (value: string) => /^[0-9a-f]*$/.test(value) && value.length % 2 === 0;
  if (
    pcr !== String(IMA_PCR) ||
    !isHex(digest) ||
    !fields ||
    algorithm === undefined ||
    hex === undefined ||
    path === undefined ||
    !isHex(signature) ||
    (fields === 2 && signature) ||
    more.length > 0
  ) {
    throw wrong(`line ${line} is no entry of ima-ng or ima-sig in PCR ${IMA_PCR}`);
  }
  const parts = [
    Buffer.concat([Buffer.from(`${algorithm}:\0`, 'latin1'), Buffer.from(hex, 'hex')]),
    Buffer.from(`${path}\0`, 'latin1'),
    ...(fields === 3 ? [Buffer.from(signature, 'hex')] : []),
  ];
  return entry(
    line,
    Buffer.from(digest, 'hex'),
    Buffer.concat(parts.flatMap((part) => [sizeOf(part), part])),
    fileHash,
    Buffer.from(path, 'latin1').toString('utf8'),
  );
}

function readBinary(bytes: Buffer): readonly ImaEntry[] {
  const reader = new ByteReader(bytes, 'the IMA log', 'little');
  const entries: ImaEntry[] = [];
  while (reader.left > 0) {
    reader.limited(entries.length + 1, ENTRIES_LIMIT, 'the number of its entries');
    entries.push(readBinaryEntry(reader, entries.length + 1));
  }
  return entries;
}

function readBinaryEntry(reader: ByteReader, line: number): ImaEntry {
  if (reader.u32() !== IMA_PCR) throw reader.wrong(`entry ${line} is not for PCR ${IMA_PCR}`);
  const digest = reader.take(SHA1_BYTES);
  const fields = TEMPLATES.get(readField(reader).toString('latin1'));
  if (!fields) throw reader.wrong(`entry ${line} is neither of ima-ng nor of ima-sig`);
  const template = reader.take(reader.limited(reader.u32(), 3 * FIELD_LIMIT_BYTES, 'the size of a template'));
  const inner = new ByteReader(template, 'the IMA log', 'little');
  const [hash = Buffer.alloc(0), path = Buffer.alloc(0)] = Array.from({ length: fields }, () => readField(inner));
  inner.end();
  const colon = hash.indexOf(':\0');
  if (colon < 1 || path.at(-1) !== 0) throw reader.wrong(`entry ${line} has no hash or no path`);
  const fileHash = `${hash.toString('latin1', 0, colon)}:${hash.toString('hex', colon + 2)}`;
  return entry(line, digest, template, fileHash, path.toString('utf8', 0, path.length - 1));
}

function readField(reader: ByteReader): Buffer {
  return reader.take(reader.limited(reader.u32(), FIELD_LIMIT_BYTES, 'the size of a field'));
}

function entry(line: number, digest: Buffer, template: Buffer, fileHash: string, path: string): ImaEntry {
  const isViolation = digest.every((octet) => octet === 0);
  return { line, fileHash, path, isViolation, template };
}

function sizeOf(field: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(field.length);
  return size;
}

/**
 * The entries that a value of PCR 10 proves: some first part of the log, for the kernel goes on while the log is read. Undefined
 * when no part of the log leads to the value. Entries after that part are claims and no more.
 */
export function provenPart(bank: Bank, entries: readonly ImaEntry[], quoted: Buffer): readonly ImaEntry[] | undefined {
  let value = resetValue(bank, IMA_PCR, 0);
  for (const [index, each] of entries.entries()) {
    if (value.equals(quoted)) return entries.slice(0, index);
    value = extend(bank, value, imaDigest(bank, each));
  }
  return value.equals(quoted) ? entries : undefined;
}

/** The kernel extends ones for a violation, so that its zeros in the log can't be replayed as if nothing were wrong. */
export function imaDigest(bank: Bank, { isViolation, template }: ImaEntry): Buffer {
  return isViolation ? Buffer.alloc(digestBytes(bank), 0xff) : hash(bank, template, 'buffer');
}

function wrong(found: string) {
  return unreadable('the IMA log', found);
}
