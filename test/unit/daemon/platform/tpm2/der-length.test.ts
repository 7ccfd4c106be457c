// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { derLength } from '../../../../../agent/daemon/platform/tpm2/der-length.ts';

it.each([
  ['a short value', [0x30, 2, 1, 2, 0xff, 0xff], 4],
  ['a long value', [0x30, 0x82, 0, 3, 1, 2, 3, 0xff], 7],
  ['a value that is cut off', [0x30, 0x82, 1, 0, 1, 2], 6],
  ['a length without end', [0x30, 0x80, 1, 2], 4],
  ['a length beyond reason', [0x30, 0x85, 0, 0, 0, 0, 1, 9], 8],
  ['a length that is cut off', [0x30, 0x84, 1], 3],
  ['nothing', [], 0],
])('the length of %s is known', (_, octets, length) => {
  expect(derLength(Buffer.from(octets))).toBe(length);
});
