// SPDX-License-Identifier: Apache-2.0
import { Variant } from 'dbus-next';

export { Variant };

/**
 * A message's values without their variants, at any depth: dictionaries become objects, arrays and structs arrays,
 * 64-bit numbers bigint, byte arrays Buffer.
 */
export function toPlain(value: unknown): unknown {
  if (value instanceof Variant) return toPlain(value.value);
  if (Array.isArray(value)) return value.map(toPlain);
  if (isDictionary(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlain(inner)]));
  return value;
}

export function isDictionary(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}
