// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/**
 * The id of the update that an attempt of a rollout is on a node: whoever runs the rollout says the same, so that it is one
 * update however often it is asked for. A UUID of version 8 (RFC 9562, section 5.8).
 */
export function operationIdOf(rolloutId: string, node: string, attempt: number): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([rolloutId, node, attempt]))
    .digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
