// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../../../../agent/daemon/update/life/version-order.ts';

describe('the order of versions', () => {
  it.each([
    ['1', '2'],
    ['9', '10'],
    ['1.9', '1.10'],
    ['1', '1.0.1'],
    ['2026.2', '2026.11'],
    ['20260101000000000001', '20260101000000000002'],
    ['1.4.0-rc.2', '1.4.0'],
    ['1.4.0', '1.4.1-rc.1'],
    ['v1.4.0', '1.5'],
    // The example of Semantic Versioning 2.0.0, section 11.
    ['1.0.0-alpha', '1.0.0-alpha.1'],
    ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
    ['1.0.0-alpha.beta', '1.0.0-beta'],
    ['1.0.0-beta', '1.0.0-beta.2'],
    ['1.0.0-beta.2', '1.0.0-beta.11'],
    ['1.0.0-beta.11', '1.0.0-rc.1'],
    ['1.0.0-rc.1', '1.0.0'],
  ])('has %s before %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  it.each([
    ['1', '1.0.0'],
    ['1.4', 'v1.4'],
    ['1.4.0+build.7', '1.4.0+build.8'],
    ['007', '7'],
    ['nightly', 'nightly'],
  ])('has %s and %s in the same place', (one, other) => {
    expect(compareVersions(one, other)).toBe(0);
  });

  it.each([
    ['nightly', '1'],
    ['1', ''],
    ['one', 'two'],
    ['1.', '1'],
    ['1..2', '1'],
    ['-1', '1'],
    ['1 ', '1'],
    ['1.0-ä', '1'],
  ])('knows no place for "%s" and "%s"', (one, other) => {
    expect(compareVersions(one, other)).toBeUndefined();
    expect(compareVersions(other, one)).toBeUndefined();
  });

  const numbers = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }).map((list) => list.join('.'));
  const words = fc.array(fc.constantFrom('0', '1', '10', 'a', 'b', 'rc', 'B', '-'), { maxLength: 3 }).map((list) => list.join('.'));
  const version = fc.tuple(numbers, words).map(([core, pre]) => (pre === '' ? core : `${core}-${pre}`));
  const order = (a: string, b: string): number => Math.sign(compareVersions(a, b) ?? Number.NaN);

  it('is the same from both sides', () => {
    fc.assert(fc.property(version, version, (a, b) => order(a, b) + order(b, a) === 0));
    fc.assert(fc.property(version, (a) => order(a, a) === 0));
  });

  it('is an order', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
        if (order(a, b) === 0) expect(order(a, c)).toBe(order(b, c));
      }),
      { numRuns: 2_000 },
    );
  });
});
