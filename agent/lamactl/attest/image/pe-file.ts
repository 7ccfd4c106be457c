// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../byte-reader.ts';

export interface Section {
  readonly name: string;
  readonly virtualSizeBytes: number;
  /** The section in the file, with the padding to the file's alignment. */
  readonly raw: Buffer;
  readonly rawOffset: number;
}

/** A PE32+ file: Microsoft's "PE Format". */
export interface PeFile {
  readonly bytes: Buffer;
  readonly headersSizeBytes: number;
  /** Where the four bytes of CheckSum are. */
  readonly checksumOffset: number;
  /** Where the eight bytes of the directory entry of the certificate table are. */
  readonly certificateEntryOffset: number;
  /** The attribute certificates at the end of the file: how many bytes. */
  readonly certificatesSizeBytes: number;
  readonly sections: readonly Section[];
}

const WHAT = 'the PE file';
const PE32_PLUS = 0x20b;
const CERTIFICATE_DIRECTORY = 4;
/** The 16 directories of which the fifth is that of certificates come after 112 bytes of the optional header. */
const DIRECTORIES_OFFSET = 112;
const CHECKSUM_OFFSET = 64;
const HEADERS_SIZE_OFFSET = 60;
const SECTION_HEADER_BYTES = 40;
const SECTIONS_LIMIT = 256;

/** Throws EVIDENCE_INVALID. */
export function readPe(bytes: Buffer): PeFile {
  const coff = at(bytes, peOffset(bytes));
  if (coff.take(4).toString('latin1') !== 'PE\0\0') throw coff.wrong('it has no PE signature');
  coff.take(2);
  const count = coff.limited(coff.u16(), SECTIONS_LIMIT, 'the number of sections');
  coff.take(12);
  const optionalSize = coff.u16();
  coff.take(2);
  const optionalOffset = bytes.length - coff.left;
  const optional = coff.take(optionalSize);
  const certificateEntryOffset = DIRECTORIES_OFFSET + CERTIFICATE_DIRECTORY * 8;
  if (optionalSize < certificateEntryOffset + 8 || optional.readUInt16LE(0) !== PE32_PLUS) throw coff.wrong('it is no 64-bit image');
  const sections = Array.from({ length: count }, () => readSection(bytes, coff.take(SECTION_HEADER_BYTES)));
  const headersSizeBytes = coff.limited(optional.readUInt32LE(HEADERS_SIZE_OFFSET), bytes.length, 'the size of the headers');
  const headersEnd = bytes.length - coff.left;
  if (headersSizeBytes < headersEnd) throw coff.wrong('its headers are larger than they say');
  return {
    bytes,
    headersSizeBytes,
    checksumOffset: optionalOffset + CHECKSUM_OFFSET,
    certificateEntryOffset: optionalOffset + certificateEntryOffset,
    certificatesSizeBytes: certificatesSize(bytes, optional.subarray(certificateEntryOffset)),
    sections,
  };
}

function at(bytes: Buffer, offset: number): ByteReader {
  const reader = new ByteReader(bytes, WHAT, 'little');
  reader.take(offset);
  return reader;
}

function peOffset(bytes: Buffer): number {
  const reader = new ByteReader(bytes, WHAT, 'little');
  if (reader.take(2).toString('latin1') !== 'MZ') throw reader.wrong('it does not begin with "MZ"');
  reader.take(0x3a);
  return reader.u32();
}

/** IMAGE_SECTION_HEADER. */
function readSection(bytes: Buffer, header: Buffer): Section {
  const rawSize = header.readUInt32LE(16);
  const rawOffset = header.readUInt32LE(20);
  return {
    name: header.toString('latin1', 0, 8).replace(/\0+$/, ''),
    virtualSizeBytes: header.readUInt32LE(8),
    raw: rawSize === 0 ? Buffer.alloc(0) : at(bytes, rawOffset).take(rawSize),
    rawOffset,
  };
}

/** Certificates must be the last thing in the file, or their hole in the hash could hide something. */
function certificatesSize(bytes: Buffer, entry: Buffer): number {
  const [offset, size] = [entry.readUInt32LE(0), entry.readUInt32LE(4)];
  const reader = new ByteReader(bytes, WHAT, 'little');
  if (size > 0 && offset + size !== bytes.length) throw reader.wrong('its certificates are not at its end');
  return size;
}
