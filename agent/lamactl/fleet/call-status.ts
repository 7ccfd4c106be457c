// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';

/**
 * The statuses of gRPC (doc/statuscodes.md of its specification). grpc-js has them, too, and takes 12 MB and 40 ms to load, which a thread
 * that polls nodes can do without.
 */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export function nameOfStatus(code: number): string {
  return Object.entries(GRPC_STATUS).find(([, each]) => each === code)?.[0] ?? `status ${code}`;
}

/** What a call came to that did not succeed: a status of gRPC, its text, and what came with it. */
export interface CallError {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Pick<Metadata, 'get'>;
}

/** The error that a response of gRPC ends with; undefined for none. */
export function errorOfTrailers(headers: IncomingHttpHeaders): CallError | undefined {
  const code = Number(headers['grpc-status'] ?? Number.NaN);
  if (code === 0) return undefined;
  // Binary values come in base64, without padding and several joined by commas.
  const get = (key: string) =>
    String(headers[key] ?? '')
      .split(',')
      .filter((value) => value !== '')
      .map((value) => Buffer.from(value, 'base64'));
  return { code: Number.isInteger(code) ? code : 2, details: decoded(String(headers['grpc-message'] ?? '')), metadata: { get } };
}

/** Percent-encoded UTF-8; what is not is shown as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
