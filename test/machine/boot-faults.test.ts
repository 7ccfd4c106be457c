// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TamperPlace } from '../../qemu/vm/machine/tamper.ts';
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

/** Switches the machine off, changes one bit of its disk, and switches it on: it has to come up again by itself. */
async function tamperWhileOff({ homelab, node }: Scenario, place: TamperPlace): Promise<void> {
  const machine = node as VirtualMachine;
  await machine.shell('systemctl --no-block poweroff', QUICK);
  await machine.waitForPowerOff(BOOT);
  await machine.tamper(place);
  await machine.start();
  await machine.waitForBoot(BOOT);
  await agentAnswers(homelab);
}

/** EROFS begins at octet 1024 of its partition. */
const ROOT = { partition: 'root-b', offsetBytes: 1100 } as const;

const BAD_SLOTS: readonly (readonly [what: string, place: TamperPlace, seen: RegExp])[] = [
  ['has a UKI with a wrong signature', { partition: 'esp-b', text: 'rauc.slot=B' }, /Access Denied|Security Violation/i],
  ['has a root that dm-verity refuses', ROOT, /dm-verity device corrupted/],
];

/** In a unit's words. */
const WATCHDOG_IS_OPEN = 'until for file in /proc/1/fd/*; do [ $$file -ef /dev/watchdog0 ] && break; done; do sleep 1; done';
const CRASHES = [
  { when: 'at once', who: 'it', words: [], wait: 'true', seen: /Caught <SEGV>[\s\S]*Rebooting/ },
  { when: 'and freezes', who: 'the watchdog', words: ['systemd.crash_action=freeze'], wait: WATCHDOG_IS_OPEN, seen: /Freezing execution/ },
] as const;

describe('a new slot', { timeout: SCENARIO_MS }, () => {
  it.each(BAD_SLOTS)('that %s is left for the one before, and the update says that it never reached userspace', (_, place, seen) =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      // lamactl leaves an update that waits for somebody to reboot.
      expect((await homelab.lamactl(['install', '--on-node', bundle, '--reboot', 'manual'])).exitCode).toBe(12);
      await tamperWhileOff(scenario, place);
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ phase: 'rolled-back', reason: { code: 'NEVER_REACHED_USERSPACE' } });
      expect(await node.consoleLog()).toMatch(seen);
    }),
  );

  it.each(CRASHES)('whose systemd crashes in the initramfs $when is left when $who restarts the machine', ({ words, wait, seen }) => {
    const script = `${wait}; kill -SEGV 1; exec sleep infinity`;
    const unit = `[Unit]\nDefaultDependencies=no\nBefore=initrd.target\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '${script}'\n`;
    const crash = `systemd.set_credential_binary=systemd.extra-unit.crash.service:${Buffer.from(unit).toString('base64')}`;
    return onNode({ words: [crash, 'rd.systemd.wants=crash.service', ...words] }, async ({ homelab, node, bundle }) => {
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 9 });
      expect(await report(homelab)).toMatchObject(ROLLED_BACK);
      expect(await journaled(node)).toMatchObject({ reason: { code: 'NEVER_REACHED_USERSPACE' } });
      expect(await node.consoleLog()).toMatch(seen);
    });
  });
});

describe('a slot that rots after its commit', { timeout: SCENARIO_MS }, () => {
  it('is tried three times, and then the node comes up on the other one', () =>
    onNode({}, async (scenario) => {
      const { homelab, node, bundle } = scenario;
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      const before = node.bootCount;
      await tamperWhileOff(scenario, ROOT);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      expect(node.bootCount - before).toBe(5);
      expect(await node.consoleLog()).toContain('The last 3 boots did not succeed');
    }));
});
