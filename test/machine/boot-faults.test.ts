// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TamperPlace } from '../../qemu/vm/machine/disk/tamper.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { COMMITTED, journaled, ROLLED_BACK, report } from '../integration/node/ask-node.ts';
import { SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { onNode } from '../integration/node/scenario.ts';
import { whileOff } from './while-off.ts';

/** EROFS begins at octet 1024, behind the 16 MiB of LUKS2's header. */
const ROOT = { partition: 'root-b', offsetBytes: (16 << 20) + 1100 } as const;

type Disk = VirtualMachine['diskAtRest'];
const flip = (place: TamperPlace) => (disk: Disk) => disk.tamper(place);

const BAD_SLOTS: readonly (readonly [what: string, tamper: (disk: Disk) => Promise<void>, seen: RegExp])[] = [
  ['has a UKI that somebody else signed', (disk) => disk.signWithForeignKey('b'), /Access Denied|Security Violation/i],
  ['has a changed hash tree', flip({ partition: 'root-b-verity', offsetBytes: 4100 }), /dm-verity device corrupted/],
];

describe('a new slot', { timeout: SCENARIO_MS }, () => {
  it.each(BAD_SLOTS)('that %s is left for the one before, and the update says that it never reached userspace', (_, tamper, seen) =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      // lamactl leaves an update that waits for somebody to reboot.
      expect((await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual'])).exitCode).toBe(12);
      await whileOff(scenario, tamper);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ phase: 'rolled-back', reason: { code: 'NEVER_REACHED_USERSPACE' } });
      expect(await node.consoleLog()).toMatch(seen);
    }),
  );
});

describe('a slot that rots after its commit', { timeout: SCENARIO_MS }, () => {
  it('is tried three times, and then the node comes up on the other one', () =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const before = node.bootCount;
      const said = (await node.consoleLog()).length;
      await whileOff(scenario, flip(ROOT));
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect(node.bootCount - before).toBe(5);
      const console = (await node.consoleLog()).slice(said);
      expect(console).toContain('The last 3 boots did not succeed');
      const rotten = console
        .split('\n── boot ')
        .filter((boot) => boot.includes('Kernel panic') && boot.includes('dm-verity device corrupted'));
      expect(rotten).toHaveLength(3);
    }));
});
