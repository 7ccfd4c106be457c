// SPDX-License-Identifier: Apache-2.0
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { FAILURE_DOMAIN, FAILURES, Failure, type FailureCode } from './failure.ts';
import { google } from './gen/messages.js';

/** The trailer of the richer error model: a serialised google.rpc.Status. */
const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo';

/** A failure as gRPC sends it: canonical code, the sentence, and an ErrorInfo whose reason is the failure's code. */
export function toStatus(failure: Failure): StatusObject {
  const code = status[FAILURES[failure.code].status];
  const info = { reason: failure.code, domain: FAILURE_DOMAIN, metadata: { ...failure.facts, remedy: failure.remedy } };
  const details = google.rpc.Status.encode({
    code,
    message: failure.message,
    details: [{ type_url: ERROR_INFO_URL, value: google.rpc.ErrorInfo.encode(info).finish() }],
  }).finish();
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(details));
  return { code, details: failure.message, metadata };
}

/** The failure that a node sent, or undefined when the call never came to one, or the node is not LamaDist's. */
export function sentByNode(error: ServiceError): Failure | undefined {
  const [bytes] = error.metadata?.get(DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return undefined;
  try {
    const info = google.rpc.Status.decode(bytes).details.find((detail) => detail.type_url === ERROR_INFO_URL);
    if (!info?.value) return undefined;
    const { reason, domain, metadata } = google.rpc.ErrorInfo.decode(info.value);
    if (domain !== FAILURE_DOMAIN || !(reason in FAILURES)) return undefined;
    return new Failure(reason as FailureCode, error.details, metadata, { cause: error });
  } catch {
    // Not the details of a LamaDist node; the canonical code still says what happened.
    return undefined;
  }
}
