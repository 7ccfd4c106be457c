// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { nameOf } from '../tpm/name.ts';
import { OBJECT, type PublicArea } from '../tpm/public-area.ts';
import { keyObject } from '../tpm/signature.ts';
import { type Rejection, rejected } from '../verdict.ts';
import type { Check, QuoteFacts } from './facts.ts';

const ekIsEnrolled: Check<QuoteFacts> = ({ ek, policy }) => differs('ek-changed', ek, policy.ek_name);

const ekCertificateIsForEk: Check<QuoteFacts> = ({ ek, evidence }) => {
  if (evidence.ek_certificate.length === 0 || isFor(evidence.ek_certificate, ek)) return undefined;
  return rejected('ek-certificate', 'its public key is not that of the endorsement key');
};

const akIsEnrolled: Check<QuoteFacts> = ({ ak, policy }) => differs('ak-changed', ak, policy.ak_name);

/** TPM 2.0 Part 1, 25.2: a restricted signing key signs nothing that begins like a TPM's own words but was not made by it. */
export const akIsRestricted: Check<Pick<QuoteFacts, 'ak'>> = ({ ak }) => {
  const missing = (['restricted', 'sign', 'fixedTpm', 'fixedParent', 'sensitiveDataOrigin'] as const).filter(
    (attribute) => !(ak.attributes & OBJECT[attribute]),
  );
  const tooMuch = (['decrypt'] as const).filter((attribute) => ak.attributes & OBJECT[attribute]);
  if (missing.length + tooMuch.length === 0) return undefined;
  const found = [...missing.map((attribute) => `it is not ${attribute}`), ...tooMuch.map((attribute) => `it is ${attribute}`)];
  return rejected('ak-not-restricted', found.join(', '));
};

/** Whether the node speaks with the keys that it was enrolled with. */
export const IDENTITY_CHECKS: readonly Check<QuoteFacts>[] = [ekIsEnrolled, ekCertificateIsForEk, akIsEnrolled, akIsRestricted];

function differs(reason: 'ek-changed' | 'ak-changed', area: PublicArea, enrolled: string): Rejection | undefined {
  const name = nameOf(area).toString('hex');
  return name === enrolled ? undefined : rejected(reason, `its name is ${name}, and ${enrolled} was enrolled`);
}

/** Whether a DER certificate is for this key. */
export function isFor(certificate: Buffer, ek: PublicArea): boolean {
  try {
    const key = keyObject(ek.key);
    return key !== undefined && new X509Certificate(certificate).publicKey.equals(key);
  } catch {
    // No certificate, or one for a kind of key that is no EK's.
    return false;
  }
}
