// SPDX-License-Identifier: Apache-2.0
import { Failure, type FailureCode } from '../../shared/failure.ts';
import { oneLine, printable } from '../../shared/printable.ts';
import { failureIn } from '../../shared/status.ts';
import { type CallError, GRPC_STATUS, nameOfStatus } from '../fleet/call-status.ts';

interface Symptom {
  readonly sign: RegExp;
  readonly code: FailureCode;
  readonly meaning: string;
}

/** What grpc-js, Node and OpenSSL say when a call comes to nothing, and what it means. The first match counts. */
const SYMPTOMS: readonly Symptom[] = [
  {
    sign: /alert (?:bad certificate|unknown ca)|alert (?:unsupported )?certificate/,
    code: 'UNAUTHENTICATED',
    meaning: 'it does not accept the client certificate',
  },
  // A server on Node sends no alert for a certificate that it cannot verify: it hangs up after the handshake.
  { sign: /Last error: Failed to connect \(/, code: 'UNAUTHENTICATED', meaning: 'it hung up when it saw the client certificate' },
  { sign: /ALTNAME_INVALID/, code: 'NODE_UNTRUSTED', meaning: 'its certificate is for another name' },
  { sign: /certificate has expired/, code: 'NODE_UNTRUSTED', meaning: 'its certificate, or the CA of the context, has expired' },
  {
    sign: /certificate is not yet valid/,
    code: 'NODE_UNTRUSTED',
    meaning: "its certificate is not yet valid; compare this machine's clock",
  },
  { sign: /certificate revoked|CERT_REVOKED/, code: 'NODE_UNTRUSTED', meaning: 'its certificate is revoked' },
  {
    sign: /certificate CRL|CRL has expired|_CRL/,
    code: 'NODE_UNTRUSTED',
    meaning: 'the CA file of the context has no revocation list in force of its authority',
  },
  {
    sign: /self-signed certificate|unable to (?:verify|get)|certificate signature failure|CERT_|UNABLE_TO_/,
    code: 'NODE_UNTRUSTED',
    meaning: 'its certificate is not valid under the CA of the context',
  },
  { sign: /protocol version|UNSUPPORTED_PROTOCOL|wrong version number/i, code: 'NODE_UNTRUSTED', meaning: 'it does not speak TLS 1.3' },
  { sign: /ECONNREFUSED/, code: 'NODE_UNREACHABLE', meaning: 'nothing listens there' },
  { sign: /EHOSTUNREACH|ENETUNREACH/, code: 'NODE_UNREACHABLE', meaning: 'no route leads there' },
  { sign: /ENOTFOUND|EAI_AGAIN|Name resolution failed/, code: 'NODE_UNREACHABLE', meaning: 'its name has no address' },
  { sign: /Waiting for LB pick/, code: 'NODE_UNREACHABLE', meaning: 'nothing answers there' },
  { sign: /Deadline exceeded/, code: 'DEADLINE_EXCEEDED', meaning: 'it did not answer in time' },
  {
    sign: /Connection dropped|Call cancelled|RST_STREAM|ECONNRESET|ETIMEDOUT|ended without gRPC status/,
    code: 'NODE_UNREACHABLE',
    meaning: 'the connection broke',
  },
];

const BY_STATUS: Readonly<Record<number, FailureCode>> = {
  [GRPC_STATUS.UNAVAILABLE]: 'NODE_UNREACHABLE',
  [GRPC_STATUS.DEADLINE_EXCEEDED]: 'DEADLINE_EXCEEDED',
  [GRPC_STATUS.PERMISSION_DENIED]: 'PERMISSION_DENIED',
  [GRPC_STATUS.UNAUTHENTICATED]: 'UNAUTHENTICATED',
};

/**
 * Why a call to a node failed: what the node said, or else what stopped the call on its way. `certificateFault` tells what is wrong
 * with the client certificate, where that can be seen here: a node hangs up without a word.
 */
export function callFailure(error: CallError, address: string, certificateFault: () => string | undefined): Failure {
  const said = failureIn(error);
  if (said) return new Failure(said.code, printable(said.message), printableFacts(said.facts), { cause: error });
  const symptom = SYMPTOMS.find(({ sign }) => sign.test(error.details));
  const code = symptom?.code ?? BY_STATUS[error.code] ?? 'INTERNAL';
  const seen = symptom?.meaning ?? `${nameOfStatus(error.code)} ${oneLine(printable(error.details))}`;
  const fault = code === 'UNAUTHENTICATED' ? certificateFault() : undefined;
  const meaning = fault === undefined ? seen : `${seen}, which ${fault}`;
  const verb = code === 'NODE_UNREACHABLE' ? 'reach' : 'talk to';
  return new Failure(code, `Cannot ${verb} ${address}: ${meaning}`, { address }, { cause: error });
}

function printableFacts(facts: Failure['facts']): Failure['facts'] {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [printable(name), printable(value)]));
}
