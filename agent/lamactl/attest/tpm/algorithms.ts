// SPDX-License-Identifier: Apache-2.0
// TPM_ALG_ID: TPM 2.0 Part 2, 6.3, with the numbers of the TCG Algorithm Registry.

export const ALG = {
  RSA: 0x0001,
  SHA1: 0x0004,
  AES: 0x0006,
  SHA256: 0x000b,
  SHA384: 0x000c,
  SHA512: 0x000d,
  NULL: 0x0010,
  RSASSA: 0x0014,
  RSAPSS: 0x0016,
  ECDSA: 0x0018,
  ECC: 0x0023,
  CFB: 0x0043,
} as const;

/** TPM_ECC_NIST_P256: Part 2, 6.4. */
export const CURVE_P256 = 0x0003;

/** The hashes that are strong enough to prove anything, by their names in PCR banks. SHA-1 is left out on purpose. */
export const BANKS = ['sha256', 'sha384', 'sha512'] as const;
export type Bank = (typeof BANKS)[number];

const STRONG: ReadonlyMap<number, Bank> = new Map([
  [ALG.SHA256, 'sha256'],
  [ALG.SHA384, 'sha384'],
  [ALG.SHA512, 'sha512'],
]);

const DIGEST_BYTES: Readonly<Record<Bank, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** The hash of an algorithm number; undefined of SHA-1 and of everything that is no hash. */
export function strongHash(algorithm: number): Bank | undefined {
  return STRONG.get(algorithm);
}

export function algorithmOf(bank: Bank): number {
  return { sha256: ALG.SHA256, sha384: ALG.SHA384, sha512: ALG.SHA512 }[bank];
}

export function digestBytes(bank: Bank): number {
  return DIGEST_BYTES[bank];
}
