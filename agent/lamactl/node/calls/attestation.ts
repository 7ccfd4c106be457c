// SPDX-License-Identifier: Apache-2.0
import { AttestationServiceDefinition as attestation } from '../../../shared/gen/services.ts';
import { BANKS } from '../../attest/tpm/algorithms.ts';
import type { Channel } from '../channel.ts';
import type { AttestationCalls } from '../node.ts';
import { bytes, collectQuote } from '../wire/evidence-stream.ts';

/** What a node's TPM is asked. */
export function attestationCalls(channel: Channel): AttestationCalls {
  return {
    async tpmKeys() {
      const { ekCertificate, ekPublic, akPublic } = await channel.call(attestation.getIdentity, {});
      return { ekCertificate: bytes(ekCertificate), ekPublic: bytes(ekPublic), akPublic: bytes(akPublic) };
    },
    async activate(credential) {
      return bytes((await channel.call(attestation.activateCredential, credential)).secret);
    },
    quote(nonce, bank) {
      const request = { nonce, bank: BANKS.indexOf(bank) + 1 };
      return channel.read(attestation.getEvidence, request, (stream) => collectQuote(stream, channel.certificate));
    },
  };
}
