// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { Failure } from '../../../shared/failure.ts';
import { lamadist } from '../../../shared/gen/messages.js';
import type { AttestationServiceHandlers } from '../../../shared/gen/services.ts';
import type { Asking, Attester } from '../../attestation/attester.ts';
import { Places } from '../../attestation/places.ts';
import type { Credential, PcrBank } from '../../attestation/tpm.ts';
import { type CallContext, serverStream, unary } from '../handlers.ts';

export interface AttestationServiceParts {
  readonly attester: Pick<Attester, 'identity' | 'activate' | 'evidence'>;
  /** SHA-256 of the certificate that this node shows its clients. */
  readonly serverCertificateSha256: () => Buffer;
}

const { PcrBank: Bank, MeasurementLog: Log } = lamadist.agent.v1;

const BANKS: ReadonlyMap<number, PcrBank> = new Map([
  [Bank.PCR_BANK_SHA256, 'sha256'],
  [Bank.PCR_BANK_SHA384, 'sha384'],
  [Bank.PCR_BANK_SHA512, 'sha512'],
]);

const CHUNK_BYTES = 256 << 10;

/** Hands out what the TPM says, raw; nothing of it is judged here. */
export function attestationService({ attester, serverCertificateSha256 }: AttestationServiceParts): AttestationServiceHandlers {
  const streams = new Places();
  return {
    getIdentity: unary((_request, context) => attester.identity(askingIn(context))),

    activateCredential: unary(async (request, context) => ({
      secret: await attester.activate(credentialIn(request), askingIn(context)),
    })),

    getEvidence: serverStream(async function* (request, context) {
      const bank = BANKS.get(request.bank ?? 0);
      if (!bank)
        throw new Failure('INVALID_REQUEST', `Cannot quote: bank ${request.bank ?? 0} is none that can be asked for`, { field: 'bank' });
      const session = {
        nonce: Buffer.from(request.nonce ?? []),
        serverCertificateSha256: serverCertificateSha256(),
        clientCertificateSha256: clientCertificateSha256(context),
      };
      const asking = askingIn(context);
      // The logs stay in memory until the client has taken them.
      const leave = streams.take(asking.asker, 'quote');
      try {
        const { quote, logs } = await attester.evidence(bank, session, asking);
        yield { quote: { ...quote, pcrValues: [...quote.pcrValues] } };
        yield* chunksOf(Log.MEASUREMENT_LOG_FIRMWARE, logs.firmware);
        yield* chunksOf(Log.MEASUREMENT_LOG_USERSPACE, logs.userspace);
        yield* chunksOf(Log.MEASUREMENT_LOG_IMA, logs.ima);
      } finally {
        leave();
      }
    }),
  };
}

function askingIn(context: CallContext): Asking {
  return { asker: clientCertificateSha256(context).toString('hex'), signal: context.signal };
}

function clientCertificateSha256({ authContext }: CallContext): Buffer {
  const certificate = authContext.sslPeerCertificate;
  if (!certificate) throw new Failure('UNAUTHENTICATED', 'Cannot quote: the connection has no client certificate');
  return createHash('sha256').update(certificate.raw).digest();
}

/** The credential of a request. Throws INVALID_REQUEST. */
export function credentialIn({ idObject, encryptedSecret }: lamadist.agent.v1.ActivateCredentialRequest.$Properties): Credential {
  return { idObject: sized(idObject, 'id_object'), encryptedSecret: sized(encryptedSecret, 'encrypted_secret') };
}

/** Above every TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. */
const CREDENTIAL_LIMIT_BYTES = 2048;

function sized(bytes: Uint8Array | null | undefined, field: string): Buffer {
  const length = bytes?.length ?? 0;
  if (bytes && length > 0 && length <= CREDENTIAL_LIMIT_BYTES) return Buffer.from(bytes);
  throw new Failure('INVALID_REQUEST', `Cannot activate the credential: ${field} has ${length} bytes`, { field });
}

function* chunksOf(log: lamadist.agent.v1.MeasurementLog, bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield { chunk: { log, data: bytes.subarray(at, at + CHUNK_BYTES) } };
}
