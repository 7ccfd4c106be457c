// SPDX-License-Identifier: Apache-2.0
import { constants, createCipheriv, createECDH, createHmac, publicEncrypt } from 'node:crypto';
import { unreadable } from '../byte-reader.ts';
import { ALG, type Bank, digestBytes, strongHash } from './algorithms.ts';
import { kdfA, kdfE, terminated } from './key-derivation.ts';
import type { EccKey, PublicArea, RsaKey, Symmetric } from './public-area.ts';
import { keyObject } from './signature.ts';

/** What only the TPM that holds the EK can open, and only if it also holds the object with the Name. */
export interface Credential {
  /** TPM2B_ID_OBJECT: TPM 2.0 Part 2, 12.4.3. */
  readonly idObject: Buffer;
  /** TPM2B_ENCRYPTED_SECRET: Part 2, 11.4.3. */
  readonly encryptedSecret: Buffer;
}

/** As many random bytes as asked for. */
export type Random = (sizeBytes: number) => Buffer;

const LABEL = 'IDENTITY';

/**
 * TPM2_MakeCredential (Part 3, 12.6) without a TPM: Part 1, 24 ("Credential Protection"). The secret may have as many bytes as
 * the EK's name hash. Throws EVIDENCE_INVALID when the EK is no storage key that can do this.
 */
export function makeCredential(ek: PublicArea, akName: Buffer, secret: Buffer, random: Random): Credential {
  const hash = strongHash(ek.nameAlgorithm);
  if (!hash) throw unusable('its name algorithm is none of SHA-256, SHA-384 and SHA-512');
  if (secret.length > digestBytes(hash)) throw new RangeError(`a credential of ${hash} holds no ${secret.length} bytes`);
  const keyBytes = aesKeyBytes(ek.symmetric);
  const { seed, encryptedSecret } = ek.key.type === 'ecc' ? shareSeedEcc(ek.key, hash, random) : shareSeedRsa(ek.key, hash, random);
  const storageKey = kdfA(hash, seed, 'STORAGE', akName, keyBytes);
  // The initialisation vector is zero: the key is used once. Part 1, 24.4.
  const cipher = createCipheriv(`aes-${keyBytes * 8}-cfb`, storageKey, Buffer.alloc(16));
  const encrypted = Buffer.concat([cipher.update(sized(secret)), cipher.final()]);
  const hmacKey = kdfA(hash, seed, 'INTEGRITY', Buffer.alloc(0), digestBytes(hash));
  const integrity = createHmac(hash, hmacKey).update(encrypted).update(akName).digest();
  return { idObject: sized(Buffer.concat([sized(integrity), encrypted])), encryptedSecret: sized(encryptedSecret) };
}

function aesKeyBytes(symmetric: Symmetric | undefined): number {
  const { algorithm, keyBits, mode } = symmetric ?? {};
  if (algorithm !== ALG.AES || mode !== ALG.CFB || (keyBits !== 128 && keyBits !== 256)) throw unusable('it does not wrap with AES-CFB');
  return keyBits / 8;
}

interface SharedSeed {
  readonly seed: Buffer;
  readonly encryptedSecret: Buffer;
}

/** A seed from one-pass Diffie-Hellman, and the ephemeral point from which the TPM derives it: Part 1, C.6.4. */
function shareSeedEcc({ x, y }: EccKey, hash: Bank, random: Random): SharedSeed {
  const ephemeral = createECDH('prime256v1');
  ephemeral.setPrivateKey(random(32));
  const point = ephemeral.getPublicKey();
  const ephemeralX = point.subarray(1, 33);
  const seed = kdfE(
    hash,
    agree(() => ephemeral.computeSecret(Buffer.concat([Buffer.of(4), x, y]))),
    LABEL,
    ephemeralX,
    x,
    digestBytes(hash),
  );
  return { seed, encryptedSecret: Buffer.concat([sized(ephemeralX), sized(point.subarray(33))]) };
}

function agree(compute: () => Buffer): Buffer {
  try {
    return compute();
  } catch {
    throw unusable('it is no point of P-256');
  }
}

/** A random seed, encrypted with OAEP: Part 1, B.10.3. */
function shareSeedRsa(key: RsaKey, hash: Bank, random: Random): SharedSeed {
  const publicKey = keyObject(key);
  if (!publicKey) throw unusable('its numbers are no RSA key');
  const seed = random(digestBytes(hash));
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash, oaepLabel: terminated(LABEL) };
  return { seed, encryptedSecret: publicEncrypt({ key: publicKey, ...padding }, seed) };
}

/** Bytes behind their size, as in every TPM2B. */
function sized(bytes: Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function unusable(found: string) {
  return unreadable('the endorsement key', found);
}
