// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createPrivateKey, type KeyObject, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { BaseBlock } from 'asn1js';
import { Failure } from '../../shared/failure.ts';
import { pemOf } from '../../shared/pem.ts';

/** As OWASP's password storage cheat sheet has it for PBKDF2 with SHA-256; Node's own export of keys counts to 2048. */
const ITERATIONS = 600_000;
const SALT_BYTES = 16;
const IV_BYTES = 16;
const KEY_BYTES = 32;

/** RFC 8018, appendix A; the cipher's is NIST's. */
const OID = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacWithSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const;

/** A private key as an encrypted PKCS #8 (RFC 5958, PBES2 with AES-256) in PEM, which openssl opens as well. */
export async function encryptKey(key: KeyObject, passphrase: string, random: (sizeBytes: number) => Buffer): Promise<string> {
  const [salt, iv] = [random(SALT_BYTES), random(IV_BYTES)];
  const derived = await promisify(pbkdf2)(passphrase, salt, ITERATIONS, KEY_BYTES, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', derived, iv);
  const encrypted = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()]);

  const { Integer, Null, ObjectIdentifier, OctetString, Sequence } = await import('asn1js');
  const oid = (value: string) => new ObjectIdentifier({ value });
  const of = (...value: BaseBlock[]) => new Sequence({ value });
  const bytes = (valueHex: Buffer) => new OctetString({ valueHex: Uint8Array.from(valueHex).buffer });
  const derivation = of(oid(OID.pbkdf2), of(bytes(salt), new Integer({ value: ITERATIONS }), of(oid(OID.hmacWithSha256), new Null())));
  const scheme = of(oid(OID.aes256Cbc), bytes(iv));
  const der = of(of(oid(OID.pbes2), of(derivation, scheme)), bytes(encrypted)).toBER();
  return pemOf(der, 'ENCRYPTED PRIVATE KEY');
}

/** Opens such a key. Throws CONFIG_INVALID. */
export function decryptKey(text: string, passphrase: string, file: string): KeyObject {
  try {
    return createPrivateKey({ key: text, passphrase });
  } catch (error) {
    throw new Failure(
      'CONFIG_INVALID',
      `Cannot open the key ${file}: the passphrase is another, or the file is damaged`,
      { file },
      { cause: error },
    );
  }
}
