// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { formatDuration, parseDuration } from '../../shared/duration.ts';
import { condition, field } from './condition-schema.ts';

const SHORTEST_MS = 100;
const LONGEST_MS = 3_600_000;
const MOST_RETRIES = 1000;

const duration = field(
  `a duration from ${formatDuration(SHORTEST_MS)} to ${formatDuration(LONGEST_MS)}, such as "500ms", "10s" or "5m"`,
  v.pipe(v.string(), v.transform(parseDuration), v.number(), v.minValue(SHORTEST_MS), v.maxValue(LONGEST_MS)),
);
const retries = field(`a whole number from 0 to ${MOST_RETRIES}`, v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MOST_RETRIES)));

/** What a check file holds, closed: a field that is not here is an error. Its output is a Check without its name. */
const fileSchema = v.strictObject({
  description: v.optional(field('a text of at most 200 characters', v.pipe(v.string(), v.maxLength(200))), ''),
  severity: field('"required" or "advisory"', v.picklist(['required', 'advisory'])),
  interval: v.optional(duration, '5s'),
  timeout: v.optional(duration, '10s'),
  retries: v.optional(retries, 3),
  condition: v.pipe(condition, v.description('a map with the type of condition and its fields')),
});

export const CHECK_FIELDS = fileSchema.entries;

export const checkSchema = v.pipe(
  fileSchema,
  v.transform(({ interval, timeout, ...others }) => ({ ...others, intervalMs: interval, timeoutMs: timeout })),
);
