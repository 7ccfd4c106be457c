// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { nearestName } from '../../../agent/shared/nearest-name.ts';

const NAMES = ['type', 'host', 'port', 'severity', 'interval', 'ca-file'];

test.each([
  ['prot', 'port'],
  ['Host', 'host'],
  ['severty', 'severity'],
  ['ca_file', 'ca-file'],
  ['intervall', 'interval'],
])('takes %s for %s', (slip, meant) => {
  expect(nearestName(slip, NAMES)).toBe(meant);
});

test('does not guess at another word', () => {
  expect(nearestName('retries', NAMES)).toBeUndefined();
  expect(nearestName('', NAMES)).toBeUndefined();
  expect(nearestName('x'.repeat(60_000), NAMES)).toBeUndefined();
});
