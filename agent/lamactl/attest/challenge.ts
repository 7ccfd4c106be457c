// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Evidence } from './evidence.ts';
import type { Bank } from './tpm/algorithms.ts';

/** What a node was asked to quote, and over which TLS session. */
export interface Challenge {
  /** 32 random bytes, used once. */
  readonly nonce: Buffer;
  readonly serverCertificateSha256: Buffer;
  readonly clientCertificateSha256: Buffer;
  readonly bank: Bank;
}

/** Every PCR that means something of a boot; asked for whole, so that no part can be left out. */
export const QUOTED_PCRS: readonly number[] = Array.from({ length: 16 }, (_, pcr) => pcr);

const LABEL = 'lamadist-attest-v1';

/** What TPM2_Quote gets as qualifyingData: one quote answers one question in one session between these two certificates. */
export function qualifyingData({ nonce, serverCertificateSha256, clientCertificateSha256 }: Challenge): Buffer {
  return createHash('sha256').update(LABEL).update(nonce).update(serverCertificateSha256).update(clientCertificateSha256).digest();
}

/**
 * The challenge that evidence from a file says it answers. It proves nothing of when the evidence was taken: whoever verifies
 * a file trusts the file to be the one that lamactl wrote.
 */
export function claimedChallenge(evidence: Evidence, bank: Bank): Challenge {
  return {
    nonce: evidence.nonce,
    serverCertificateSha256: evidence.server_certificate_sha256,
    clientCertificateSha256: evidence.client_certificate_sha256,
    bank,
  };
}
