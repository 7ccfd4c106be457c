// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { addressesIn } from '../../../../agent/lamactl/contexts/address-range.ts';

describe('a range of addresses', () => {
  it.each([
    ['10.0.0.0/30', ['10.0.0.1:7443', '10.0.0.2:7443']],
    ['10.0.0.7/30', ['10.0.0.5:7443', '10.0.0.6:7443']],
    ['10.0.0.7/32', ['10.0.0.7:7443']],
    ['10.0.0.6/31', ['10.0.0.6:7443', '10.0.0.7:7443']],
  ])('%s has these hosts', (range, addresses) => {
    expect(addressesIn(range)).toEqual(addresses);
  });

  it('goes over the ends of octets, and to another port', () => {
    const addresses = addressesIn('192.168.254.0/23', 443);
    expect([addresses.length, addresses[0], addresses[255], addresses.at(-1)]).toEqual([
      510,
      '192.168.254.1:443',
      '192.168.255.0:443',
      '192.168.255.254:443',
    ]);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/24', 'fd00::/120', '10.0.0.0/24/1', '10.0.0.0/8', '10.0.0.0/'])(
    'is refused when it is %s',
    (range) => {
      expect(() => addressesIn(range)).toThrow(/^Cannot search/);
    },
  );
});
