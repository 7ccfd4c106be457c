// SPDX-License-Identifier: Apache-2.0

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A stopwatch: 0:07, 12:40, 1:02:03. */
export function stopwatch(durationMs: number): string {
  const hours = Math.floor(durationMs / HOUR_MS);
  const minutes = Math.floor((durationMs % HOUR_MS) / MINUTE_MS);
  const seconds = String(Math.floor((durationMs % MINUTE_MS) / SECOND_MS)).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** How long ago a time in RFC 3339 was, in one unit: 12s, 5m, 3h, 8d. Empty when there is none. */
export function age(time: string | undefined, nowMs: number): string {
  if (time === undefined) return '';
  const agoMs = Math.max(0, nowMs - Date.parse(time));
  if (agoMs < MINUTE_MS) return `${Math.floor(agoMs / SECOND_MS)}s`;
  if (agoMs < HOUR_MS) return `${Math.floor(agoMs / MINUTE_MS)}m`;
  if (agoMs < 2 * DAY_MS) return `${Math.floor(agoMs / HOUR_MS)}h`;
  return `${Math.floor(agoMs / DAY_MS)}d`;
}

/** A time in RFC 3339 as the administrator's clock shows it: 2026-11-20 14:03:59. */
export function localTime(time: string | undefined): string {
  if (time === undefined) return '';
  const at = new Date(time);
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS };

/** The longest that a timer of Node can wait. */
const LONGEST_MS = 2 ** 31 - 1;

/** Milliseconds of a duration such as 500ms, 10s, 30m or 2h. Undefined when it is none, nothing, or more than 24 days. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  if (!match) return undefined;
  const durationMs = Number(match[1]) * UNITS_MS[match[2]!]!;
  return durationMs > 0 && durationMs <= LONGEST_MS ? durationMs : undefined;
}
