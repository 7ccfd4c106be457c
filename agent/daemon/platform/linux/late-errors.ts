// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';

/**
 * Whoever waits for an emitter hears its errors; after the wait was given up one may still come, and an error that nobody hears
 * would end the process.
 */
export function ignoreLateErrors<T extends EventEmitter>(emitter: T): T {
  return emitter.on('error', () => undefined);
}
