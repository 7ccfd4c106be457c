// SPDX-License-Identifier: Apache-2.0
// What systemd-measure, ukify and sbsign make of real images is compared in test/integration/lamactl/attest/uki.test.ts.
import { describe, expect, it } from 'vitest';
import { expectedPcr11, PHASES_IN_SERVICE } from '../../../../../agent/lamactl/attest/image/expected-pcrs.ts';
import { readPe } from '../../../../../agent/lamactl/attest/image/pe-file.ts';
import { readUki } from '../../../../../agent/lamactl/attest/image/uki.ts';
import { smallUki } from '../../../../../qemu/measured-boot/small-uki.ts';

const OPTIONAL_SIZE = 84;
const MAGIC = 88;

function changed(at: number, value: number): Buffer {
  const bytes = smallUki(257);
  bytes.writeUInt16LE(value, at);
  return bytes;
}

describe('an image', () => {
  it.each([
    ['of 32 bits', changed(MAGIC, 0x10b), 'it is no 64-bit image'],
    ['whose optional header has no place for certificates', changed(OPTIONAL_SIZE, 151), 'it is no 64-bit image'],
    ['whose optional header has no magic number', changed(OPTIONAL_SIZE, 0), 'it is no 64-bit image'],
  ])('%s is refused', (_, bytes, found) => {
    expect(() => readPe(bytes)).toThrow(found);
  });

  it('with one profile is what that profile makes of it', () => {
    const profile = ['.profile', 'ID=quiet'] as const;
    const pcr11 = (bytes: Buffer) => expectedPcr11(readUki(bytes), 'sha256', PHASES_IN_SERVICE[0]).toString('hex');
    expect(pcr11(smallUki(257, profile, ['.cmdline', 'other words']))).not.toBe(pcr11(smallUki(257, profile)));
    expect(() => readUki(smallUki(257, profile), 1)).toThrow('it has no profile 1');
  });
});
