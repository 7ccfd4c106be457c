// SPDX-License-Identifier: Apache-2.0
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { FAILURE_DOMAIN, FAILURES, Failure, type FailureCode } from './failure.ts';
import { google } from './gen/messages.js';

/** The trailer of the richer error model: a serialised google.rpc.Status. */
const DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO_URL = 'type.googleapis.com/google.rpc.ErrorInfo';

/** The trailers hold the message twice, and many implementations of gRPC admit no more than 8 KiB of them. */
const MAX_MESSAGE_LENGTH = 1000;

/** Cut to what may be sent; half of a surrogate pair, which grpc-js could not encode, becomes U+FFFD. */
function sendable(message: string): string {
  const cut = message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message;
  return Buffer.from(cut).toString();
}

/** A failure as gRPC sends it: canonical code, the sentence, and an ErrorInfo whose reason is the failure's code. */
export function toStatus(failure: Failure): StatusObject {
  const code = status[FAILURES[failure.code].status];
  const message = sendable(failure.message);
  const info = { reason: failure.code, domain: FAILURE_DOMAIN, metadata: { ...failure.facts, remedy: failure.remedy } };
  const details = google.rpc.Status.encode({
    code,
    message,
    details: [{ type_url: ERROR_INFO_URL, value: google.rpc.ErrorInfo.encode(info).finish() }],
  }).finish();
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(details));
  return { code, details: message, metadata };
}

interface Sent {
  readonly details?: string | null;
  readonly metadata?: Pick<Metadata, 'get'> | null | undefined;
}

/** The failure that a status or an error of gRPC carries; undefined when it came from elsewhere than a LamaDist node. */
export function failureIn(sent: Sent): Failure | undefined {
  const [bytes] = sent.metadata?.get(DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return undefined;
  try {
    const info = google.rpc.Status.decode(bytes).details.find((detail) => detail.type_url === ERROR_INFO_URL);
    if (!info?.value) return undefined;
    const { reason, domain, metadata } = google.rpc.ErrorInfo.decode(info.value);
    if (domain !== FAILURE_DOMAIN || !Object.hasOwn(FAILURES, reason)) return undefined;
    // lamactl knows the remedy by the code.
    const { remedy: _, ...facts } = metadata;
    return new Failure(reason as FailureCode, sent.details ?? '', facts, { cause: sent });
  } catch {
    // Not the details of a LamaDist node; the canonical code still says what happened.
    return undefined;
  }
}
