// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { expectedPcr11 } from '../../../../agent/lamactl/attest/image/expected-pcrs.ts';
import { readUki } from '../../../../agent/lamactl/attest/image/uki.ts';
import { pinsOfFirstUse, pinsOfImage, requireNew, withPins } from '../../../../agent/lamactl/trust/pins.ts';
import { smallUki } from '../../../../qemu/measured-boot/small-uki.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';

const pin = (...values: string[]) => ({ from: 'operator' as const, values });
const BEFORE = { '0': pin('aa'), '4': pin('bb') };

describe('pins', () => {
  it('of an image tell PCR 4 apart by what the firmware starts before it, and PCR 11 not', () => {
    const image = readUki(smallUki(257));
    const [straight, loaded] = [pinsOfImage([image], 'sha256'), pinsOfImage([image], 'sha256', [smallUki(255)])];
    expect(loaded['11']).toEqual(straight['11']);
    expect(loaded['4']?.values.some((value) => straight['4']?.values.includes(value))).toBe(false);
  });

  it('of an image hold for PCR 11 from when services start until they stop', () => {
    const image = readUki(smallUki(257));
    const measured = (...phases: string[]) => expectedPcr11(image, 'sha256', phases).toString('hex');
    const boot = ['enter-initrd', 'leave-initrd', 'sysinit'];
    expect(pinsOfImage([image], 'sha256')['11']?.values).toEqual([
      measured(...boot),
      measured(...boot, 'ready'),
      measured(...boot, 'ready', 'shutdown'),
    ]);
  });

  it('are learnt from a node for PCR 0, 2 and 7 alone', () => {
    const pins = pinsOfFirstUse(forge().evidence);
    expect(Object.keys(pins)).toEqual(['0', '2', '7']);
    expect(Object.values(pins).every(({ from }) => from === 'first-use')).toBe(true);
  });

  it('may be learnt again where they are the same, and not where they are not', () => {
    expect(() => requireNew('attic', BEFORE, { '0': pin('aa'), '2': pin('cc') })).not.toThrow();
    expect(() => requireNew('attic', BEFORE, { '0': pin('dd') })).toThrow(/PCR 0 is dd, and pinned to aa; .*--replace/);
  });

  it('take the place of those before, or come beside them', () => {
    expect(withPins(BEFORE, { '4': pin('cc') }, false)).toEqual({ '0': pin('aa'), '4': pin('cc') });
    expect(withPins(BEFORE, { '4': pin('cc', 'bb') }, true)).toEqual({ '0': pin('aa'), '4': pin('bb', 'cc') });
  });
});
