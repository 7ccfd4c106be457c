// SPDX-License-Identifier: Apache-2.0
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { ByteReader } from '../byte-reader.ts';
import { ALG, strongHash } from './algorithms.ts';
import { type EccKey, type PublicArea, type RsaKey, readCoordinate } from './public-area.ts';

/** TPMT_SIGNATURE: TPM 2.0 Part 2, 11.3.4. */
export interface Signature {
  readonly algorithm: number;
  readonly hash: number;
  /** r ‖ s of ECDSA, each 32 bytes; the number itself of RSA. */
  readonly bytes: Buffer;
}

const RSA_LIMIT_BYTES = 512;

/** Reads TPMT_SIGNATURE of ECDSA over P-256, RSASSA or RSAPSS: Part 2, 11.3.1 and 11.3.2. Throws EVIDENCE_INVALID. */
export function readSignature(marshalled: Buffer): Signature {
  const reader = new ByteReader(marshalled, 'the signature', 'big');
  const algorithm = reader.u16();
  const hash = reader.u16();
  const bytes = readNumbers(reader, algorithm);
  reader.end();
  return { algorithm, hash, bytes };
}

function readNumbers(reader: ByteReader, algorithm: number): Buffer {
  switch (algorithm) {
    case ALG.ECDSA:
      return Buffer.concat([readCoordinate(reader), readCoordinate(reader)]);
    case ALG.RSASSA:
    case ALG.RSAPSS:
      return reader.take(reader.limited(reader.u16(), RSA_LIMIT_BYTES, 'the size of the signature'));
    default:
      throw reader.wrong(`algorithm 0x${algorithm.toString(16)} is none of ECDSA, RSASSA and RSAPSS`);
  }
}

/**
 * Whether the key signed the message with the very scheme that its public area fixes: a signature may not choose another one,
 * nor may it choose SHA-1.
 */
export function isSignedBy(area: PublicArea, signature: Signature, message: Buffer): boolean {
  const { scheme } = area;
  if (scheme?.algorithm !== signature.algorithm || scheme.hash !== signature.hash) return false;
  const hash = strongHash(signature.hash);
  if (hash === undefined || (signature.algorithm === ALG.ECDSA) !== (area.key.type === 'ecc')) return false;
  const key = keyObject(area.key);
  return key !== undefined && verify(hash, message, { key, ...options(signature.algorithm) }, signature.bytes);
}

function options(algorithm: number) {
  if (algorithm === ALG.ECDSA) return { dsaEncoding: 'ieee-p1363' as const };
  if (algorithm === ALG.RSASSA) return { padding: constants.RSA_PKCS1_PADDING };
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
}

/** The key for node:crypto; undefined of numbers that are no key, such as a point that is not on the curve. */
export function keyObject(key: EccKey | RsaKey): KeyObject | undefined {
  try {
    return createPublicKey({ format: 'jwk', key: key.type === 'ecc' ? eccJwk(key) : rsaJwk(key) });
  } catch {
    return undefined;
  }
}

function eccJwk({ x, y }: EccKey) {
  return { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
}

function rsaJwk({ modulus, exponent }: RsaKey) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(exponent);
  return { kty: 'RSA', n: modulus.toString('base64url'), e: bytes.toString('base64url') };
}
