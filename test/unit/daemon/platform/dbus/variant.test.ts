// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { isDictionary, toPlain, Variant } from '../../../../../agent/daemon/platform/dbus/variant.ts';

describe('plain values', () => {
  it('have no variants left at any depth', () => {
    const value = [
      { a: new Variant('v', new Variant('s', 'x')), b: new Variant('a{sv}', { c: new Variant('t', 5n) }) },
      [new Variant('b', true)],
    ];
    expect(toPlain(value)).toEqual([{ a: 'x', b: { c: 5n } }, [true]]);
  });

  it('keep bytes as a buffer', () => {
    const bytes = Buffer.from([1, 2]);
    expect(toPlain(new Variant('ay', bytes))).toBe(bytes);
  });
});

describe('a dictionary', () => {
  it.each([
    ['an object', {}, true],
    ['an array', [], false],
    ['bytes', Buffer.alloc(1), false],
    ['nothing', null, false],
    ['a text', 'x', false],
  ])('is not mistaken: %s', (_, value, expected) => {
    expect(isDictionary(value)).toBe(expected);
  });
});
