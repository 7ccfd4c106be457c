// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';

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
