// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { unreadable } from '../byte-reader.ts';
import type { Bank } from '../tpm/algorithms.ts';
import type { PeFile } from './pe-file.ts';

/**
 * The hash of a PE image that its signature covers and that the firmware extends PCR 4 with: "Windows Authenticode Portable
 * Executable Signature Format", Calculating the PE Image Hash. A signature can come or go without changing it.
 */
export function authenticodeHash(pe: PeFile, bank: Bank): Buffer {
  const { bytes, headersSizeBytes, checksumOffset, certificateEntryOffset, certificatesSizeBytes } = pe;
  const hash = createHash(bank);
  hash.update(bytes.subarray(0, checksumOffset));
  hash.update(bytes.subarray(checksumOffset + 4, certificateEntryOffset));
  hash.update(bytes.subarray(certificateEntryOffset + 8, headersSizeBytes));
  const sections = pe.sections.filter(({ raw }) => raw.length > 0).sort((one, other) => one.rawOffset - other.rawOffset);
  for (const { raw } of sections) hash.update(raw);
  const hashedBytes = sections.reduce((sum, { raw }) => sum + raw.length, headersSizeBytes);
  const endBytes = bytes.length - certificatesSizeBytes;
  if (hashedBytes > endBytes) throw unreadable('the PE file', 'its sections overlap each other or its certificates');
  return hash.update(bytes.subarray(hashedBytes, endBytes)).digest();
}
