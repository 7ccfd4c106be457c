// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';

/* What the process that looks at the hardware writes, and the agent reads. */

/** More of anything than a node has; the rest is left out. */
const MAX_ITEMS = 256;
const MAX_TEXT_LENGTH = 200;

/** What programs write where they know nothing. */
const UNKNOWN =
  /^(?:-|unknown|not specified|not available|none|n\/?a|default string|to be filled by o\.?e\.?m\.?|system (?:product name|manufacturer|version))$/i;

const text = v.fallback(
  v.pipe(
    v.string(),
    v.transform((value) => value.trim().slice(0, MAX_TEXT_LENGTH)),
    v.transform((value) => (UNKNOWN.test(value) ? '' : value)),
  ),
  '',
);
const count = v.fallback(v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(1))), null);
const list = <const S extends v.GenericSchema>(item: S) =>
  v.fallback(
    v.pipe(
      v.array(item),
      v.transform((items) => items.slice(0, MAX_ITEMS)),
    ),
    [],
  );

const product = v.object({ vendor: text, name: text, version: text, serial: text });

export const FoundSchema = v.object({
  system: product,
  board: product,
  firmware: v.object({ vendor: text, version: text, released: text }),
  processor: v.object({ vendor: text, model: text, cores: count, threads: count }),
  memoryBytes: count,
  disks: list(v.object({ name: text, vendor: text, model: text, serial: text, type: text, sizeBytes: count })),
  networkInterfaces: list(
    v.object({
      name: text,
      macAddress: text,
      addresses: list(text),
      state: text,
      megabitsPerSecond: count,
      virtual: v.fallback(v.boolean(), false),
    }),
  ),
  problems: list(text),
});

export type Found = v.InferOutput<typeof FoundSchema>;
