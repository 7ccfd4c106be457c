// SPDX-License-Identifier: Apache-2.0
import type { google } from '../../../shared/gen/messages.js';
import { printable } from '../../../shared/printable.ts';

/** A text that is safe to print. */
export function text(value: string | null | undefined): string {
  return printable(value ?? '');
}

/** The name of an enum's number. */
export function named<Names extends readonly ['unknown', ...string[]]>(names: Names, value: number | null | undefined): Names[number] {
  return names[value ?? 0] ?? 'unknown';
}

/** The highest second that RFC 3339 can say. */
const LAST_SECOND = Date.UTC(10_000, 0) / 1000 - 1;

/** RFC 3339; undefined when that cannot say it. */
export function time(timestamp: google.protobuf.Timestamp.$Properties): string | undefined {
  const seconds = timestamp.seconds ?? 0;
  if (Math.abs(seconds) > LAST_SECOND) return undefined;
  return new Date(seconds * 1000 + Math.trunc((timestamp.nanos ?? 0) / 1e6)).toISOString();
}

/** Seconds, as proto3 JSON writes them. */
export function duration(duration: google.protobuf.Duration.$Properties): string {
  return `${((duration.seconds ?? 0) + (duration.nanos ?? 0) / 1e9).toFixed(3)}s`;
}

/** A property that is there only when the message says something. */
export function present<Key extends string, In, Out>(
  key: Key,
  value: In | null | undefined,
  convert: (value: In) => Out | undefined,
): { readonly [K in Key]?: Out } {
  const converted = value === null || value === undefined ? undefined : convert(value);
  return (converted === undefined ? {} : { [key]: converted }) as { readonly [K in Key]?: Out };
}
