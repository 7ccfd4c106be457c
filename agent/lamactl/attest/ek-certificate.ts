// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { type Issuers, leadsToRoot } from './certificate-chain.ts';

/** tcg-kp-EKCertificate: TCG EK Credential Profile 2.6, 3.2.16. */
const EK_USAGE = '2.23.133.8.1';

/** Why an endorsement certificate does not lead to one of the roots; undefined when it does. */
export function chainProblem(der: Buffer, issuers: Issuers, nowMs: number): string | undefined {
  const leaf = certificate(der);
  if (!leaf) return 'it is no X.509 certificate';
  const usage: readonly string[] | undefined = leaf.keyUsage;
  if (!usage?.includes(EK_USAGE)) return 'it is not for an endorsement key';
  return leadsToRoot(leaf, issuers, nowMs);
}

/** The PEM or DER certificate; undefined of anything else. */
function certificate(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}
