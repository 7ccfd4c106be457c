// SPDX-License-Identifier: Apache-2.0
import { timingSafeEqual } from 'node:crypto';
import type { Issuers } from './certificate-chain.ts';
import { akIsRestricted, isFor } from './check/identity.ts';
import { chainProblem } from './ek-certificate.ts';
import { type Credential, makeCredential, type Random } from './tpm/make-credential.ts';
import { nameOf } from './tpm/name.ts';
import { OBJECT, type PublicArea, readPublic } from './tpm/public-area.ts';
import { type Rejection, rejected } from './verdict.ts';

/** What a node says that its keys are. */
export interface ClaimedIdentity {
  /** Empty where the TPM has none. */
  readonly ekCertificate: Buffer;
  readonly ekPublic: Buffer;
  readonly akPublic: Buffer;
}

/** A question that only the TPM with both keys can answer. */
export interface Activation {
  readonly ekName: string;
  readonly akName: string;
  /** "first-use" when no chain of certificates leads to a root that the operator gave. */
  readonly ekTrust: 'chain' | 'first-use';
  readonly credential: Credential;
  /** What the node must answer with. */
  readonly secret: Buffer;
}

const SECRET_BYTES = 32;

/**
 * Begins to enrol a node. The AK's Name is computed here from its public area, and never taken from the node: else a credential
 * for a key in the TPM would pass for one of a key outside (CVE-2021-3406). Without roots the EK is believed at first use, which
 * is the caller's to allow. Throws EVIDENCE_INVALID.
 */
export function beginEnrolment(claimed: ClaimedIdentity, issuers: Issuers, nowMs: number, random: Random): Activation | Rejection {
  const ek = readPublic(claimed.ekPublic, 'the endorsement key');
  const ak = readPublic(claimed.akPublic, 'the attestation key');
  const rejection = ekIsStorageKey(ek) ?? akIsRestricted({ ak }) ?? certificateIsGood(claimed.ekCertificate, ek, issuers, nowMs);
  if (rejection) return rejection;
  const secret = random(SECRET_BYTES);
  return {
    ekName: nameOf(ek).toString('hex'),
    akName: nameOf(ak).toString('hex'),
    ekTrust: issuers.roots.length > 0 ? 'chain' : 'first-use',
    credential: makeCredential(ek, nameOf(ak), secret, random),
    secret,
  };
}

/** Ends it: whether the node answered with the secret. */
export function endEnrolment({ secret }: Activation, answer: Buffer): Rejection | undefined {
  if (answer.length === secret.length && timingSafeEqual(answer, secret)) return undefined;
  return rejected('not-activated', 'the node could not open the credential');
}

/** TCG EK Credential Profile 2.6, B.3 and B.4: a restricted decryption key, which opens credentials and signs nothing. */
function ekIsStorageKey({ attributes }: PublicArea): Rejection | undefined {
  const missing = (['restricted', 'decrypt', 'fixedTpm', 'fixedParent', 'sensitiveDataOrigin'] as const).filter(
    (attribute) => !(attributes & OBJECT[attribute]),
  );
  return missing.length === 0 ? undefined : rejected('ek-not-restricted', `it is not ${missing.join(', not ')}`);
}

function certificateIsGood(certificate: Buffer, ek: PublicArea, issuers: Issuers, nowMs: number): Rejection | undefined {
  if (certificate.length > 0 && !isFor(certificate, ek))
    return rejected('ek-certificate', 'its public key is not that of the endorsement key');
  if (issuers.roots.length === 0) return undefined;
  if (certificate.length === 0) return rejected('ek-untrusted', 'the TPM has no endorsement certificate');
  const problem = chainProblem(certificate, issuers, nowMs);
  return problem === undefined ? undefined : rejected('ek-untrusted', problem);
}
