// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSize, parseSize } from '../../../agent/shared/size.ts';

test('reads every unit', () => {
  expect(['512B', '1KiB', '64MiB', '1GiB', '2TiB'].map(parseSize)).toEqual([512, 1024, 64 * 1024 ** 2, 1024 ** 3, 2 * 1024 ** 4]);
});

test('refuses what is no size, and units that people take for two different ones', () => {
  for (const text of ['', '64', '64MB', '64M', 'MiB', '-1MiB', '1.5GiB', '1 GiB', '1gib', '999999999999999TiB']) {
    expect(parseSize(text), text).toBeUndefined();
  }
});

test('a whole number of a unit reads as the same again', () => {
  const unit = fc.constantFrom('B', 'KiB', 'MiB', 'GiB', 'TiB');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1023 }), unit, (count, name) => {
      expect(formatSize(parseSize(`${count}${name}`)!)).toBe(`${count}${name}`);
    }),
  );
});

test('a size is never shown as larger than it is', () => {
  expect([0, 1023, 1536, 1024 ** 3 - 1, 3.99 * 1024 ** 3].map(formatSize)).toEqual(['0B', '1023B', '1.5KiB', '1023.9MiB', '3.9GiB']);
});
