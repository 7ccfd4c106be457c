// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { until } from '../../qemu/deadline.ts';
import type { TamperPlace } from '../../qemu/vm/machine/tamper.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';

import { withHomelab } from '../integration/node/scenario.ts';

const REFUSED_MS = 400_000;

interface Tampering {
  readonly what: string;
  readonly place: TamperPlace;
  /** What the console says of it. */
  readonly seen: RegExp;
}

const TAMPERINGS: readonly Tampering[] = [
  // EROFS begins at octet 1024 of its partition, which a fresh disk has in the clear; the tree of hashes after its first block.
  { what: 'the root', place: { partition: 'root-a', offsetBytes: 1100 }, seen: /verity: .*corrupted|dm-verity device corrupted/ },
  {
    what: 'the hash tree of the root',
    place: { partition: 'root-a-verity', offsetBytes: 4100 },
    seen: /verity: .*corrupted|dm-verity device corrupted/,
  },
  {
    what: 'the kernel in the UKI',
    place: { partition: 'esp-a', text: 'HdrS' },
    seen: /Access Denied|Security Violation|Security violation|not authenticated/i,
  },
  {
    what: 'the command line in the UKI',
    place: { partition: 'esp-a', text: 'rauc.slot=A' },
    seen: /Access Denied|Security Violation|Security violation|not authenticated/i,
  },
];

describe('one bit changed on the disk of a machine that is off', () => {
  it.each(TAMPERINGS)('in $what does not boot, and the console says why', ({ place, seen }) => {
    return withHomelab(vmDriver, async (homelab) => {
      const node = (await homelab.addNode('attic', await homelab.image('1'))) as VirtualMachine;
      await node.tamper(place);
      await node.start();
      const said = async () => (seen.test(await node.consoleLog()) ? true : undefined);
      await until(`the console to say ${seen}`, REFUSED_MS, said);
      expect(node.bootCount).toBeGreaterThan(0);
      await expect(node.waitForBoot({ timeoutMs: 1 })).rejects.toThrow();
    });
  });
});
