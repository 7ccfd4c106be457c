// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** What a log says of a request whose length is somebody else's choice: enough to tell it from another. */
export function digestOf(request: unknown): string | null {
  const text = JSON.stringify(request) ?? 'null';
  if (text === 'null') return null;
  return `left out: ${Buffer.byteLength(text)} bytes, sha256:${createHash('sha256').update(text).digest('hex')}`;
}
