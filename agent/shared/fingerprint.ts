// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';

/** SHA-256 of a public key (SubjectPublicKeyInfo), in hexadecimal: the same for the key, a request for it and its certificates. */
export function keyFingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return sha256(publicKey.export({ type: 'spki', format: 'der' }));
}

/** SHA-256 of a certificate (DER), in hexadecimal; what "openssl x509 -fingerprint -sha256" prints. */
export function certificateFingerprint(certificate: X509Certificate): string {
  return sha256(certificate.raw);
}

/** For people to compare: in groups of four. */
export function shownFingerprint(fingerprint: string): string {
  return `sha256:${fingerprint.match(/.{4}/g)?.join(' ')}`;
}

/** Reads what people copy: with or without "sha256:", blanks, colons or capitals. Undefined when it is no SHA-256. */
export function parseFingerprint(text: string): string | undefined {
  const digits = text
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, '')
    .replace(/[\s:]/g, '');
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
