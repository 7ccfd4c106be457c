// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { readAddon } from '../../../../agent/lamactl/attest/image/addon.ts';
import { readUki } from '../../../../agent/lamactl/attest/image/uki.ts';
import { addonOf, pinsOnNode, pinsWithAddon, withoutAddon } from '../../../../agent/lamactl/trust/addon-pins.ts';
import { pinsOfImage } from '../../../../agent/lamactl/trust/pins.ts';
import { smallAddon, smallUki } from '../../../../qemu/measured-boot/small-uki.ts';
import { forge } from '../../fakes/attest/forged-tpm.ts';

const ADDON = readAddon(smallAddon('systemd.hostname=attic'));
const pinsOf = (version: number) => pinsOfImage([readUki(smallUki(version))], 'sha256');

describe('the pins of a node with an addon', () => {
  it('have another PCR 4 than those of its image, a PCR 12, and the same PCR 11', () => {
    const [without, withIt] = [pinsOf(257), pinsWithAddon(pinsOf(257), ADDON, 'sha256')];
    expect(withIt['11']).toEqual(without['11']);
    expect(withIt['4']?.values).toHaveLength(without['4']?.values.length ?? 0);
    expect(withIt['4']?.values.some((value) => without['4']?.values.includes(value))).toBe(false);
    expect(withIt['12']).toMatchObject({ from: 'image', values: [expect.stringMatching(/^[0-9a-f]{64}$/)] });
  });

  it('follow from what the policy remembers of the addon when the image changes', () => {
    const policy = { ...forge().policy, addon: addonOf(ADDON, 'sha256') };
    const { '12': _, ...expected } = pinsWithAddon(pinsOf(258), ADDON, 'sha256');
    expect(pinsOnNode(pinsOf(258), policy)).toEqual(expected);
  });

  it('are left alone when they are of that addon already, and on a node that has none', () => {
    const policy = forge().policy;
    const pins = pinsWithAddon(pinsOf(257), ADDON, 'sha256');
    expect(pinsOnNode(pins, { ...policy, addon: addonOf(ADDON, 'sha256') })).toBe(pins);
    expect(pinsOnNode(pins, policy)).toBe(pins);
  });

  it('and its policy forget an addon that is gone', () => {
    const { policy } = forge();
    const had = { ...policy, addon: addonOf(ADDON, 'sha256'), pcrs: pinsWithAddon(policy.pcrs, ADDON, 'sha256') };
    const { addon, pcrs } = withoutAddon(had);
    expect([addon, pcrs['12']]).toEqual([undefined, undefined]);
    expect(withoutAddon(policy)).toEqual(policy);
  });
});
