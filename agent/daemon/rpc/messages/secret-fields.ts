// SPDX-License-Identifier: Apache-2.0

/**
 * The fields of requests that the protocol marks with `debug_redact`, for they are secret, or too much for a log; a test holds
 * this list against it.
 */
export const SECRET_FIELDS: ReadonlySet<string> = new Set(['urlAccess', 'plan', 'progress']);

/** A request as it may be written down: of what is left out, and of the query of a URL, only that it was there. */
export function withoutSecrets(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return request;
  return Object.fromEntries(Object.entries(request).map(([name, value]) => [name, shown(name, value)]));
}

function shown(name: string, value: unknown): unknown {
  if (SECRET_FIELDS.has(name) && value) return '(left out)';
  if (name === 'url' && typeof value === 'string') return value.replace(/\?.*$/s, '?(secret)');
  return name === 'source' ? withoutSecrets(value) : value;
}
