// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../qemu/deadline.ts';
import type { TamperPlace } from '../../qemu/vm/machine/tamper.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { withHomelab } from '../integration/node/scenario.ts';

const REFUSED_MS = 400_000;
/** From a UKI that is started to the first word of its kernel takes some seconds. */
const A_WHILE_MS = 60_000;

const CORRUPTED = { says: /Kernel panic - not syncing: dm-verity device corrupted/ };
/** The first words of a kernel are those of its own stub. */
const REFUSED = { says: /Access Denied|Security Violation|not authenticated/i, neverSays: /EFI stub: / };

interface Tampering {
  readonly what: string;
  readonly place: TamperPlace;
  /** What the console says of it, and what it would go on with otherwise. */
  readonly seen: { readonly says: RegExp; readonly neverSays?: RegExp };
}

const TAMPERINGS: readonly Tampering[] = [
  // EROFS begins at octet 1024 of its partition, which a fresh disk has in the clear; the tree of hashes after its first block.
  { what: 'the root', place: { partition: 'root-a', offsetBytes: 1100 }, seen: CORRUPTED },
  { what: 'the hash tree of the root', place: { partition: 'root-a-verity', offsetBytes: 4100 }, seen: CORRUPTED },
  { what: 'the kernel in the UKI', place: { partition: 'esp-a', text: 'HdrS' }, seen: REFUSED },
  { what: 'the command line in the UKI', place: { partition: 'esp-a', text: 'rauc.slot=A' }, seen: REFUSED },
];

describe('one bit changed on the disk of a machine that is off', () => {
  it.each(TAMPERINGS)('in $what does not boot, and the console says why', ({ place, seen }) => {
    return withHomelab(vmDriver, async (homelab) => {
      const node = (await homelab.addNode('attic', await homelab.image('1'))) as VirtualMachine;
      await node.tamper(place);
      await node.start();
      const { says, neverSays } = seen;
      await until(`the console to say ${says}`, REFUSED_MS, async () => says.test(await node.consoleLog()) || undefined);
      if (!neverSays) return;
      await sleep(A_WHILE_MS);
      expect(await node.consoleLog()).not.toMatch(neverSays);
    });
  });
});
