// SPDX-License-Identifier: Apache-2.0
import type { QuotedSession } from '../../shared/qualifying-data.ts';
import type { Evidence } from './evidence.ts';
import type { Bank } from './tpm/algorithms.ts';

/** What a node was asked to quote, and over which TLS session. */
export interface Challenge extends QuotedSession {
  readonly bank: Bank;
}

/** Every PCR that means something of a boot; asked for whole, so that no part can be left out. */
export const QUOTED_PCRS: readonly number[] = Array.from({ length: 16 }, (_, pcr) => pcr);

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
