// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../byte-reader.ts';
import { ALG, CURVE_P256 } from './algorithms.ts';

/** TPMA_OBJECT: TPM 2.0 Part 2, 8.3. */
export const OBJECT = {
  fixedTpm: 1 << 1,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
} as const;

/** A signing scheme with its hash: TPMT_ASYM_SCHEME, Part 2, 11.2.3.6. */
interface Scheme {
  readonly algorithm: number;
  readonly hash: number;
}

/** The symmetric cipher with which a storage key wraps: TPMT_SYM_DEF_OBJECT, Part 2, 11.1.7. */
export interface Symmetric {
  readonly algorithm: number;
  readonly keyBits: number;
  readonly mode: number;
}

export interface EccKey {
  readonly type: 'ecc';
  /** Both 32 bytes, big-endian: the curve is P-256. */
  readonly x: Buffer;
  readonly y: Buffer;
}

export interface RsaKey {
  readonly type: 'rsa';
  readonly modulus: Buffer;
  readonly exponent: number;
}

/** TPMT_PUBLIC: Part 2, 12.2.4. */
export interface PublicArea {
  /** TPMT_PUBLIC as it was marshalled: what a Name is the hash of. */
  readonly marshalled: Buffer;
  readonly nameAlgorithm: number;
  readonly attributes: number;
  readonly symmetric: Symmetric | undefined;
  readonly scheme: Scheme | undefined;
  readonly key: EccKey | RsaKey;
}

const POLICY_LIMIT_BYTES = 64;
const COORDINATE_BYTES = 32;
/** RSA 4096. */
const MODULUS_LIMIT_BYTES = 512;
/** Nobody has a reason for less, and its signatures can be forged. */
const MODULUS_LEAST_BYTES = 256;
const USUAL_EXPONENT = 65537;

/** Reads TPM2B_PUBLIC (Part 2, 12.2.5) of an RSA or a P-256 key. Throws EVIDENCE_INVALID. */
export function readPublic(bytes: Buffer, what: string): PublicArea {
  const outer = new ByteReader(bytes, what, 'big');
  const marshalled = outer.take(outer.u16());
  outer.end();
  const reader = new ByteReader(marshalled, what, 'big');
  const type = reader.u16();
  if (type !== ALG.RSA && type !== ALG.ECC) throw reader.wrong(`a key of type 0x${type.toString(16)} is neither RSA nor ECC`);
  const nameAlgorithm = reader.u16();
  const attributes = reader.u32();
  reader.take(reader.limited(reader.u16(), POLICY_LIMIT_BYTES, 'the size of authPolicy'));
  const symmetric = readSymmetric(reader);
  const scheme = readScheme(reader);
  const key = type === ALG.RSA ? readRsa(reader) : readEcc(reader);
  reader.end();
  return { marshalled, nameAlgorithm, attributes, symmetric, scheme, key };
}

function readSymmetric(reader: ByteReader): Symmetric | undefined {
  const algorithm = reader.u16();
  return algorithm === ALG.NULL ? undefined : { algorithm, keyBits: reader.u16(), mode: reader.u16() };
}

function readScheme(reader: ByteReader): Scheme | undefined {
  const algorithm = reader.u16();
  if (algorithm === ALG.NULL) return undefined;
  if (algorithm !== ALG.RSASSA && algorithm !== ALG.RSAPSS && algorithm !== ALG.ECDSA) {
    throw reader.wrong(`scheme 0x${algorithm.toString(16)} is none of RSASSA, RSAPSS and ECDSA`);
  }
  return { algorithm, hash: reader.u16() };
}

/** The rest of TPMS_RSA_PARMS and TPM2B_PUBLIC_KEY_RSA: Part 2, 12.2.3.5 and 11.2.4.5. */
function readRsa(reader: ByteReader): RsaKey {
  const keyBits = reader.u16();
  const exponent = reader.u32() || USUAL_EXPONENT;
  const modulus = reader.take(reader.limited(reader.u16(), MODULUS_LIMIT_BYTES, 'the size of the RSA key'));
  if (modulus.length < MODULUS_LEAST_BYTES || keyBits !== modulus.length * 8) throw reader.wrong(`an RSA key of ${keyBits} bits`);
  return { type: 'rsa', modulus, exponent };
}

/** The rest of TPMS_ECC_PARMS and TPMS_ECC_POINT: Part 2, 12.2.3.6 and 11.2.5.2. */
function readEcc(reader: ByteReader): EccKey {
  const curve = reader.u16();
  if (curve !== CURVE_P256) throw reader.wrong(`curve 0x${curve.toString(16)} is not NIST P-256`);
  const keyDerivation = reader.u16();
  if (keyDerivation !== ALG.NULL) throw reader.wrong(`a key derivation scheme, 0x${keyDerivation.toString(16)}, where none belongs`);
  return { type: 'ecc', x: readCoordinate(reader), y: readCoordinate(reader) };
}

/** TPM2B_ECC_PARAMETER, which may leave out leading zeros (Part 2, 11.2.5.1), at its full size. */
export function readCoordinate(reader: ByteReader): Buffer {
  const short = reader.take(reader.limited(reader.u16(), COORDINATE_BYTES, 'the size of a coordinate'));
  return Buffer.concat([Buffer.alloc(COORDINATE_BYTES - short.length), short]);
}
