// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TamperPlace } from '../../qemu/vm/machine/disk/tamper.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import {
  agentAnswers,
  BOOT,
  COMMITTED,
  journaled,
  onNode,
  QUICK,
  ROLLED_BACK,
  report,
  SCENARIO_MS,
  type Scenario,
} from '../integration/node/scenario.ts';

/** Switches the machine off, changes its disk, and switches it on: it has to come up again by itself. */
async function tamperWhileOff({ homelab, node }: Scenario, tamper: (machine: VirtualMachine) => Promise<void>): Promise<void> {
  const machine = node as VirtualMachine;
  await machine.shell('systemctl --no-block poweroff', QUICK);
  await machine.waitForPowerOff(BOOT);
  await tamper(machine);
  await machine.start();
  await machine.waitForBoot(BOOT);
  await agentAnswers(homelab);
}

/** EROFS begins at octet 1024, behind the 16 MiB of LUKS2's header. */
const ROOT = { partition: 'root-b', offsetBytes: (16 << 20) + 1100 } as const;

const flip = (place: TamperPlace) => (machine: VirtualMachine) => machine.diskAtRest.tamper(place);

const BAD_SLOTS: readonly (readonly [what: string, tamper: (machine: VirtualMachine) => Promise<void>, seen: RegExp])[] = [
  ['has a UKI that somebody else signed', (machine) => machine.diskAtRest.signWithForeignKey('b'), /Access Denied|Security Violation/i],
  ['has a changed hash tree', flip({ partition: 'root-b-verity', offsetBytes: 4100 }), /dm-verity device corrupted/],
];

describe('a new slot', { timeout: SCENARIO_MS }, () => {
  it.each(BAD_SLOTS)('that %s is left for the one before, and the update says that it never reached userspace', (_, tamper, seen) =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      // lamactl leaves an update that waits for somebody to reboot.
      expect((await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual'])).exitCode).toBe(12);
      await tamperWhileOff(scenario, tamper);
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
      await tamperWhileOff(scenario, flip(ROOT));
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect(node.bootCount - before).toBe(5);
      expect(await node.consoleLog()).toContain('The last 3 boots did not succeed');
    }));
});
