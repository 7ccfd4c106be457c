// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../agent/lamactl/contexts/address.ts';

describe('the address of a node', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5:7443'],
    ['10.0.0.5:7000', '10.0.0.5:7000'],
    ['attic.lan', 'attic.lan:7443'],
    ['attic.lan:1', 'attic.lan:1'],
    ['fd00::5', '[fd00::5]:7443'],
    ['[fd00::5]', '[fd00::5]:7443'],
    ['[fd00::5]:7000', '[fd00::5]:7000'],
  ])('%s is %s', (address, expected) => {
    expect(parseAddress(address)).toBe(expected);
  });

  it.each(['', 'attic.lan:', 'attic:0', 'attic:65536', 'attic:seven', 'https://attic', 'unix:/run/x', 'two words', '[attic]:7443', 'a/b'])(
    '"%s" is none',
    (address) => {
      expect(parseAddress(address)).toBeUndefined();
    },
  );
});
