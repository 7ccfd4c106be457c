// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../byte-reader.ts';

/** UEFI_VARIABLE_DATA: PC Client Platform Firmware Profile 1.06, 10.2.6. */
export interface EfiVariable {
  /** In the usual form: 8be4df61-93ca-11d2-aa0d-00e098032b8c. */
  readonly guid: string;
  readonly name: string;
  readonly data: Buffer;
}

const NAME_LIMIT_CHARACTERS = 512n;

/** Throws EVIDENCE_INVALID. */
export function readEfiVariable(bytes: Buffer): EfiVariable {
  const reader = new ByteReader(bytes, 'the EFI variable of an event', 'little');
  const guid = readGuid(reader);
  const characters = reader.u64();
  const sizeBytes = reader.u64();
  if (characters > NAME_LIMIT_CHARACTERS || sizeBytes > BigInt(reader.left)) throw reader.wrong('its sizes go beyond the event');
  const name = reader.take(Number(characters) * 2).toString('utf16le');
  const data = reader.take(Number(sizeBytes));
  reader.end();
  return { guid, name, data };
}

/** EFI_GUID: UEFI 2.10, appendix A. The first three groups are little-endian numbers. */
function readGuid(reader: ByteReader): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const groups = [hex(reader.u32(), 8), hex(reader.u16(), 4), hex(reader.u16(), 4)];
  return [...groups, reader.take(2).toString('hex'), reader.take(6).toString('hex')].join('-');
}
