// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** More attempts than a rollout ever makes on a node. */
const MOST_ATTEMPTS = 36;

/**
 * The id of the update that an attempt of a rollout is on a node: whoever runs the rollout says the same, so that it is one
 * update however often it is asked for.
 */
export function operationIdOf(rolloutId: string, node: string, attempt: number): string {
  return uuidOf(JSON.stringify([rolloutId, node, attempt]));
}

/** Whether an update is an attempt of this rollout on this node. */
export function isAttempt(operationId: string, rolloutId: string, node: string): boolean {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    if (operationIdOf(rolloutId, node, attempt) === operationId) return true;
  }
  return false;
}

/** A UUID of version 8 (RFC 9562, section 5.8): of the SHA-256 of a text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
