// SPDX-License-Identifier: Apache-2.0

/** A stretch of local time that comes back every week. */
export interface MaintenanceWindow {
  /** 0 is Sunday; none twice. */
  readonly weekdays: readonly number[];
  /** Minutes since midnight, local time. An end that is not after the start is the next day's. */
  readonly startMinute: number;
  readonly endMinute: number;
  /** An IANA time zone. */
  readonly timeZone: string;
}

export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

const WEEKDAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const SHAPE = /^(?:(?<days>daily|[a-z]{3}(?:(?:,|-)[a-z]{3})*) +)?(?<start>\d{2}:\d{2})-(?<end>\d{2}:\d{2})(?: +(?<zone>\S+))?$/i;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MINUTES_A_DAY = 24 * 60;

/**
 * Reads a text such as "Sat 02:00-05:00 Europe/Berlin", "Mon-Fri,Sun 23:00-01:30" or "02:00-04:00"; without days it is daily,
 * without a time zone it is UTC. Undefined when it is no such text.
 */
export function parseWindow(text: string): MaintenanceWindow | undefined {
  const { days = 'daily', start = '', end = '', zone = 'UTC' } = SHAPE.exec(text.trim())?.groups ?? {};
  const weekdays = parseWeekdays(days.toLowerCase());
  const [startMinute, endMinute] = [parseMinute(start), parseMinute(end)];
  if (!weekdays || startMinute === undefined || endMinute === undefined || !isTimeZone(zone)) return undefined;
  return { weekdays, startMinute, endMinute, timeZone: zone };
}

function parseWeekdays(text: string): number[] | undefined {
  if (text === 'daily') return WEEKDAYS.map((_, day) => day);
  const days = new Set<number>();
  for (const range of text.split(',')) {
    const [first, last = first, more] = range.split('-').map((name) => WEEKDAYS.indexOf(name));
    if (first === undefined || last === undefined || first < 0 || last < 0 || more !== undefined) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].sort();
}

function parseMinute(text: string): number | undefined {
  const [hour = Number.NaN, minute = Number.NaN] = text.split(':').map(Number);
  return hour <= 23 && minute <= 59 ? hour * 60 + minute : undefined;
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

/** The occurrence that a moment is in or, when it is in none, the next one. */
export function nextOccurrence(window: MaintenanceWindow, nowMs: number): Interval {
  const { startMinute, timeZone } = window;
  const { year, month, day } = localDate(nowMs, timeZone);
  // Days of the calendar, which are not all of one length; yesterday's occurrence may still go on.
  for (let date = day - 1; ; date += 1) {
    const midnight = new Date(Date.UTC(year, month - 1, date));
    if (!window.weekdays.includes(midnight.getUTCDay())) continue;
    const endMinute = window.endMinute > startMinute ? window.endMinute : window.endMinute + MINUTES_A_DAY;
    const [startMs, endMs] = [utcOf(midnight, startMinute, timeZone), utcOf(midnight, endMinute, timeZone)];
    // All of it may lie in the hour that the clocks skip.
    if (endMs > Math.max(nowMs, startMs)) return { startMs, endMs };
  }
}

/**
 * When the clocks of a zone show so many minutes after a midnight (given as if it were UTC's): the first time, where they show it twice; where they
 * skip it, the moment at which they do.
 */
function utcOf(midnight: Date, minute: number, timeZone: string): number {
  const asIfUtcMs = midnight.getTime() + minute * MINUTE_MS;
  const offsetsMs = [asIfUtcMs - DAY_MS, asIfUtcMs + DAY_MS].map((atMs) => offsetMs(atMs, timeZone));
  const [first, second] = offsetsMs.map((offset) => asIfUtcMs - offset).sort((a, b) => a - b) as [number, number];
  const shows = (atMs: number): boolean => asIfUtcMs - offsetMs(atMs, timeZone) === atMs;
  if (shows(first)) return first;
  if (shows(second)) return second;
  return momentOfChange(first, second, timeZone);
}

/** Between two moments around it: zones change at whole minutes. */
function momentOfChange(beforeMs: number, afterMs: number, timeZone: string): number {
  const changed = offsetMs(afterMs, timeZone);
  let [low, high] = [beforeMs, afterMs];
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
    if (offsetMs(middle, timeZone) === changed) high = middle;
    else low = middle;
  }
  return high;
}

/** How far the clocks of a zone are ahead of UTC at a moment. */
function offsetMs(atMs: number, timeZone: string): number {
  const { year, month, day, hour, minute, second } = localDate(atMs, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

function localDate(atMs: number, timeZone: string) {
  const numeric = 'numeric' as const;
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute'), second: part('second') };
}
