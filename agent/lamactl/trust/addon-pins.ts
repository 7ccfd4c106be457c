// SPDX-License-Identifier: Apache-2.0
import { type Addon, addonDigest, expectedPcr12, pcr4WithAddon } from '../attest/image/addon.ts';
import type { Policy } from '../attest/policy.ts';
import type { Bank } from '../attest/tpm/algorithms.ts';
import type { Pins } from './pins.ts';

/** What an addon makes of the pins of an image without it. */
export function pinsWithAddon(pins: Pins, addon: Addon, bank: Bank): Pins {
  return {
    ...withAddonDigest(pins, addonDigest(addon, bank), bank),
    '12': { from: 'image', values: [expectedPcr12(addon, bank).toString('hex')] },
  };
}

/** What a policy keeps of the node's addon: it stays when the image changes. */
export function addonOf(addon: Addon, bank: Bank): NonNullable<Policy['addon']> {
  return { digest: addonDigest(addon, bank).toString('hex') };
}

/** The pins of an image on this node, whose own addon is booted with each. Pins of PCR 12 are of an image and an addon already. */
export function pinsOnNode(pins: Pins, { addon, pcr_bank }: Pick<Policy, 'addon' | 'pcr_bank'>): Pins {
  if (!addon || pins['12']) return pins;
  return withAddonDigest(pins, Buffer.from(addon.digest, 'hex'), pcr_bank);
}

/** The policy of a node that has no addon any more. */
export function withoutAddon({ addon, ...policy }: Policy): Policy {
  if (!addon) return policy;
  const { '12': _, ...pcrs } = policy.pcrs;
  return { ...policy, pcrs };
}

function withAddonDigest(pins: Pins, digest: Buffer, bank: Bank): Pins {
  const pcr4 = pins['4'];
  if (!pcr4) return pins;
  const values = pcr4.values.map((value) => pcr4WithAddon(Buffer.from(value, 'hex'), digest, bank).toString('hex'));
  return { ...pins, '4': { ...pcr4, values } };
}
