// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expectedPcr12, readAddon } from '../../../../../agent/lamactl/attest/image/addon.ts';
import { smallAddon, smallUki } from '../../../../../qemu/measured-boot/small-uki.ts';

const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest('hex');

describe('an addon', () => {
  it('leads to PCR 12 by its command line alone, in UTF-16 and with its end', () => {
    const words = Buffer.from('a\0=\0b\0\0\0', 'latin1');
    const value = sha256(Buffer.alloc(32), Buffer.from(sha256(words), 'hex'));
    expect(expectedPcr12(readAddon(smallAddon('a=b')), 'sha256').toString('hex')).toBe(value);
    expect(expectedPcr12(readAddon(smallAddon('a=b\0')), 'sha256').toString('hex')).toBe(value);
  });

  it.each([
    ['that is a whole image', smallUki(257)],
    ['with more than a command line', smallAddon('a=b', ['.initrd', 'more'])],
    ['with two command lines', smallAddon('a=b', ['.cmdline', 'c=d'])],
    ['without a word', smallAddon('')],
    ['whose words the stub would change', smallAddon('a=b\nc=d')],
    ['with words that are not ASCII', smallAddon('a=ü')],
    ['that is no PE file', Buffer.from('a=b')],
  ])('%s is not foretold', (_, bytes) => {
    expect(() => readAddon(bytes)).toThrow(/^Cannot read the (addon|PE file): /);
  });
});
