// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { parseTokenUri } from '../../../../agent/lamactl/pki/pkcs11.ts';

describe('the URI of a key in a token', () => {
  it('names the module, the token and the key', () => {
    expect(parseTokenUri('pkcs11:token=home%20lab;object=ca?module-path=/usr/lib/softhsm/libsofthsm2.so')).toEqual({
      module: '/usr/lib/softhsm/libsofthsm2.so',
      token: 'home lab',
      object: ['--label', 'ca'],
    });
    expect(parseTokenUri('pkcs11:id=%01%ff;token=t?module-path=/m.so').object).toEqual(['--id', '01ff']);
  });

  it.each([
    'ca.key',
    'pkcs11:token=t;object=o',
    'pkcs11:object=o?module-path=/m.so',
    'pkcs11:token=t?module-path=/m.so',
    'pkcs11:token=t;object=o?module-path=m.so',
  ])('is refused when it is %s', (uri) => {
    expect(() => parseTokenUri(uri)).toThrow('Cannot use the key');
  });

  it('is refused, and not repeated, when it has a PIN', () => {
    for (const uri of [
      'pkcs11:token=t;object=o?module-path=/m.so&pin-value=1234',
      'pkcs11:token=t;object=o;pin-value=1234?module-path=/m.so',
    ])
      expect(() => parseTokenUri(uri)).toThrow(/^(?!.*1234).*--passphrase-file/);
  });
});
