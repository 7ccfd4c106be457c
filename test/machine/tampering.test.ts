// SPDX-License-Identifier: Apache-2.0
import { describe, it } from 'vitest';
import { until } from '../../qemu/host/deadline.ts';
import type { TamperPlace } from '../../qemu/vm/machine/disk/tamper.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { withHomelab } from '../integration/node/scenario.ts';

const REFUSED_MS = 400_000;

const CORRUPTED = /Kernel panic - not syncing: dm-verity device corrupted/;
/** And then the firmware has nothing left to start. */
const REFUSED = /lamadist-a\.efi: Access denied.*No bootable option or device was found/s;

/** In the version that a Debian kernel begins with, and in no other part of a UKI. */
const KERNEL = 'debian-kernel@lists.debian.org';

interface Tampering {
  readonly what: string;
  readonly place: TamperPlace;
  /** What the console says in the end. */
  readonly seen: RegExp;
}

const TAMPERINGS: readonly Tampering[] = [
  // EROFS begins at octet 1024 of its partition, which a fresh disk has in the clear; the tree of hashes after its first block.
  { what: 'the root', place: { partition: 'root-a', offsetBytes: 1100 }, seen: CORRUPTED },
  { what: 'the hash tree of the root', place: { partition: 'root-a-verity', offsetBytes: 4100 }, seen: CORRUPTED },
  { what: 'the kernel in the UKI', place: { partition: 'esp-a', text: KERNEL }, seen: REFUSED },
  { what: 'the command line in the UKI', place: { partition: 'esp-a', text: 'rauc.slot=A' }, seen: REFUSED },
];

describe('one bit changed on the disk of a machine that is off', () => {
  it.each(TAMPERINGS)('in $what does not boot, and the console says why', ({ place, seen }) => {
    return withHomelab(vmDriver, async (homelab) => {
      const node = (await homelab.addNode('attic', await homelab.image('1'))) as VirtualMachine;
      await node.diskAtRest.tamper(place);
      await node.start();
      await until(`the console to say ${seen}`, REFUSED_MS, async () => seen.test(await node.consoleLog()) || undefined);
    });
  });
});
