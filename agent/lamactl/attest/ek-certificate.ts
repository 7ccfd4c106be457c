// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';

/** tcg-kp-EKCertificate: TCG EK Credential Profile 2.6, 3.2.16. */
const EK_USAGE = '2.23.133.8.1';
/** Manufacturers have two or three between the EK and their root. */
const CHAIN_LIMIT = 6;

export interface Issuers {
  /** Trusted because the operator gave them. */
  readonly roots: readonly X509Certificate[];
  /** Not trusted in themselves. */
  readonly intermediates: readonly X509Certificate[];
}

/** Why an endorsement certificate does not lead to one of the roots; undefined when it does. Revocation is not looked at. */
export function chainProblem(der: Buffer, { roots, intermediates }: Issuers, nowMs: number): string | undefined {
  const leaf = certificate(der);
  if (!leaf) return 'it is no X.509 certificate';
  const usage: readonly string[] | undefined = leaf.keyUsage;
  if (!usage?.includes(EK_USAGE)) return 'it is not for an endorsement key';
  let at = leaf;
  for (let depth = 0; depth < CHAIN_LIMIT; depth++) {
    if (!isValidAt(at, nowMs)) return `the certificate of "${oneLine(at.subject)}" is not valid now`;
    const root = roots.find((issuer) => isIssuedBy(at, issuer));
    if (root) return isValidAt(root, nowMs) ? undefined : `the root "${oneLine(root.subject)}" is not valid now`;
    const issuer = intermediates.find((each) => isIssuedBy(at, each));
    if (!issuer) return `nobody who was given issued the certificate of "${oneLine(at.subject)}"; its issuer is "${oneLine(at.issuer)}"`;
    at = issuer;
  }
  return `it has more than ${CHAIN_LIMIT} issuers`;
}

/** The PEM or DER certificate; undefined of anything else. */
function certificate(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

function isIssuedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}

function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}
