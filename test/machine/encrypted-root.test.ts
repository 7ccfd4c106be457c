// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { until } from '../../qemu/deadline.ts';
import type { VirtualNode } from '../../qemu/driver.ts';
import type { Homelab } from '../../qemu/homelab.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { agentAnswers, BOOT, COMMITTED, onNode, QUICK, report, SCENARIO_MS, shellOk, withHomelab } from '../integration/node/scenario.ts';

/** Of the only key of a slot, in its LUKS2: behind both headers and the place of the key that it was encrypted with. */
const KEY = { partition: 'root-b', offsetBytes: 32_768 + 258_048 + 5 } as const;

const header = async (node: VirtualNode, slot: string) =>
  (await shellOk(node, `cryptsetup luksUUID /dev/disk/by-partlabel/root-${slot}`)).trim();

/** Both slots are opened LUKS2, each with one key, which is the TPM's. */
async function expectBothEncrypted(node: VirtualNode): Promise<void> {
  for (const slot of ['a', 'b']) {
    expect(await shellOk(node, `dmsetup table root-${slot}`)).toMatch(/^0 \d+ crypt /);
    const dump = await shellOk(node, `cryptsetup luksDump /dev/disk/by-partlabel/root-${slot}`);
    expect(dump).toMatch(/Tokens:\n {2}0: systemd-tpm2/);
    expect(dump.match(/^ {2}\d+: luks2$/gm)).toHaveLength(1);
  }
}

async function bootsAgain(homelab: Homelab, node: VirtualNode): Promise<void> {
  await node.start();
  await node.waitForBoot(BOOT);
  await agentAnswers(homelab);
}

describe('root slots inside LUKS2', { timeout: 2 * SCENARIO_MS }, () => {
  it('keep their header when they are updated; one that does not open is left, and encrypted anew', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await expectBothEncrypted(node);
      const before = { a: await header(node, 'a'), b: await header(node, 'b') };
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      await expectBothEncrypted(node);
      expect({ a: await header(node, 'a'), b: await header(node, 'b') }).toEqual(before);

      await node.shell('systemctl --no-block poweroff', QUICK);
      await node.waitForPowerOff(BOOT);
      await (node as VirtualMachine).tamper(KEY);
      await bootsAgain(homelab, node);
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      const console = await node.consoleLog();
      expect(console).toContain('Cannot open root slot root-b');
      expect(console).toContain('The last 3 boots did not succeed');

      const again = await node.deliver(homelab.bundlePath('2'));
      const { exitCode, all } = await homelab.lamactl(['install', '--force', '--on-node', again]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      await expectBothEncrypted(node);
      expect(await header(node, 'b')).not.toBe(before.b);
    }));

  it('are encrypted by the first boot, even when the power is cut while it does', () => {
    return withHomelab(vmDriver, async (homelab) => {
      const node = (await homelab.addNode('attic', await homelab.image('1'))) as VirtualMachine;
      await node.start();
      const begun = async () => (await node.consoleLog()).includes('Encrypted root-a') || undefined;
      await until('slot A to be encrypted', BOOT.timeoutMs, begun);
      await node.cutPower();
      await bootsAgain(homelab, node);
      expect((await node.consoleLog()).match(/Encrypted root-a/g)).toHaveLength(2);
      await expectBothEncrypted(node);
    });
  });
});
