// SPDX-License-Identifier: Apache-2.0
import { NONCE_BYTES } from '../../shared/qualifying-data.ts';
import type { Challenge } from '../attest/challenge.ts';
import { type Evidence, readEvidence, writeEvidence } from '../attest/evidence.ts';
import type { Bank } from '../attest/tpm/algorithms.ts';
import type { AttestationCalls } from '../node/node.ts';
import type { World } from '../world.ts';

export interface Answer {
  readonly evidence: Evidence;
  readonly challenge: Challenge;
}

/** Asks a node for evidence that answers a nonce of now, over this very connection. Throws EVIDENCE_INVALID and what calls fail with. */
export async function askEvidence(
  node: Pick<AttestationCalls, 'tpmKeys' | 'quote'>,
  bank: Bank,
  { random, clock }: Pick<World, 'random' | 'clock'>,
): Promise<Answer> {
  const nonce = random(NONCE_BYTES);
  const keys = await node.tpmKeys();
  const { attest, signature, pcrValues, logs, ...session } = await node.quote(nonce, bank);
  const evidence: Evidence = {
    nonce,
    server_certificate_sha256: session.serverCertificateSha256,
    client_certificate_sha256: session.clientCertificateSha256,
    ek_certificate: keys.ekCertificate,
    ek_public: keys.ekPublic,
    ak_public: keys.akPublic,
    attest,
    signature,
    pcr_bank: bank,
    pcr_values: Object.fromEntries(pcrValues.map((value, pcr) => [String(pcr), value])),
    event_log: logs.firmware,
    userspace_log: logs.userspace,
    ima_log: logs.ima,
    time: new Date(clock.now()).toISOString(),
  };
  // What a node sends has to keep the limits of a file, and what is judged now can be saved and judged again.
  return { evidence: readEvidence(Buffer.from(writeEvidence(evidence))), challenge: { nonce, bank, ...session } };
}
