// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../../shared/failure.ts';
import { signedContent } from './signed-content.ts';

/** "hsqs", with which a bundle begins: it is a squashfs with the signature behind it. */
const SQUASHFS_MAGIC = 0x73717368;
/** At the end of a bundle: how many bytes the signature before it has, big-endian. */
const SIZE_BYTES = 8;
const SIGNATURE_LIMIT_BYTES = 1 << 20;

export function isBundle(start: Buffer): boolean {
  return start.length >= 4 && start.readUInt32LE(0) === SQUASHFS_MAGIC;
}

/**
 * The manifest in the signature of a RAUC bundle of the format verity: RAUC's manual, "Bundle Formats". Of a plain bundle the
 * manifest is inside, and of an encrypted one it can't be read. Throws BUNDLE_INVALID, BUNDLE_UNTRUSTED.
 */
export async function readSignedManifest(file: string, keyring: readonly X509Certificate[], nowMs: number): Promise<string> {
  const bundle = await open(file, 'r');
  try {
    const { size: sizeBytes } = await bundle.stat();
    const signatureBytes = Number((await bytesAt(bundle, Math.max(0, sizeBytes - SIZE_BYTES), SIZE_BYTES)).readBigUInt64BE());
    if (signatureBytes > SIGNATURE_LIMIT_BYTES || signatureBytes > sizeBytes - SIZE_BYTES) {
      throw new Failure('BUNDLE_INVALID', `Cannot read the bundle ${file}: it ends with no signature`);
    }
    return signedContent(await bytesAt(bundle, sizeBytes - SIZE_BYTES - signatureBytes, signatureBytes), keyring, nowMs).toString('utf8');
  } finally {
    await bundle.close();
  }
}

async function bytesAt(file: FileHandle, at: number, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  await file.read(bytes, 0, sizeBytes, at);
  return bytes;
}
