// SPDX-License-Identifier: Apache-2.0
import type { X509Certificate } from 'node:crypto';

/** Manufacturers have two or three between a key and their root. */
const CHAIN_LIMIT = 6;

export interface Issuers {
  /** Trusted because the operator gave them. */
  readonly roots: readonly X509Certificate[];
  /** Not trusted in themselves. */
  readonly intermediates: readonly X509Certificate[];
}

/** Why a certificate does not lead to one of the roots, and is none; undefined when it does. Revocation is not looked at. */
export function leadsToRoot(leaf: X509Certificate, { roots, intermediates }: Issuers, nowMs: number): string | undefined {
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

function isIssuedBy(subject: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}

function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}
