// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** What one quote answers: a question, in a TLS session between the holders of two certificates. */
export interface QuotedSession {
  /** 32 random bytes, used once. */
  readonly nonce: Buffer;
  readonly serverCertificateSha256: Buffer;
  readonly clientCertificateSha256: Buffer;
}

/** Stands for the client's certificate in a session in which the client has none. */
export const NO_CERTIFICATE_SHA256 = createHash('sha256').digest();

export const NONCE_BYTES = 32;
const LABEL = 'lamadist-attest-v1';

/** What TPM2_Quote gets as qualifyingData, and signs as extraData: SHA-256, 32 bytes. The node and lamactl each compute it for themselves. */
export function qualifyingData({ nonce, serverCertificateSha256, clientCertificateSha256 }: QuotedSession): Buffer {
  return createHash('sha256').update(LABEL).update(nonce).update(serverCertificateSha256).update(clientCertificateSha256).digest();
}
