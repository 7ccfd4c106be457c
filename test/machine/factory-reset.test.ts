// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import type { VirtualNode } from '../../qemu/driver.ts';
import { fingerprintOf, newNode, whileJoining } from '../integration/node/administrator.ts';
import { shellOk } from '../integration/node/ask-node.ts';
import { denialsIn } from '../integration/node/denials.ts';
import { BOOT, QUICK, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { ENCRYPTED, type Encrypted, luksMetadata, luksUuid, mapping } from './luks2.ts';
import { onlyInAll } from './selection/machine-scenarios.ts';

/** Of lamactl's exits: the endorsement key was believed when it was first seen. */
const FIRST_USE = 14;
/** What somebody left on the node: in its /etc, and in its data. */
const LEFT = ['/etc/lamadist-left-behind', '/var/lib/lamadist-left-behind'];

/** The headers of the data and of both slots, by partition: which LUKS2, with which keys. */
async function encryptionOf(node: VirtualNode): Promise<Readonly<Record<Encrypted, string>>> {
  const header = async (partition: Encrypted) => (await luksUuid(node, partition)) + (await luksMetadata(node, partition));
  return { var: await header('var'), 'root-a': await header('root-a'), 'root-b': await header('root-b') };
}

it('a factory reset leaves the system as it is, and nothing that the node was ever told', { timeout: SCENARIO_MS }, ({ skip }) => {
  onlyInAll(skip);
  return whileJoining(async ({ homelab, administrator }) => {
    const node = await newNode(homelab, 'attic');
    const told = await fingerprintOf(node);
    expect((await administrator.enroll(node, told)).exitCode).toBe(FIRST_USE);
    await shellOk(node, `touch ${LEFT.join(' ')}`);
    const before = await encryptionOf(node);

    const boot = await node.waitForBoot(BOOT);
    await shellOk(node, 'systemctl start --no-block factory-reset.target');
    const { bootname } = await node.waitForBoot({ ...BOOT, after: boot });
    expect(bootname).toBe(boot.bootname);

    const after = await encryptionOf(node);
    expect(after).toMatchObject({ 'root-a': before['root-a'], 'root-b': before['root-b'] });
    expect(after.var).not.toBe(before.var);
    expect(after.var).toContain('systemd-tpm2');
    expect(await mapping(node, 'var')).toMatch(ENCRYPTED);
    for (const file of LEFT) expect((await node.shell(`test -e ${file}`, QUICK)).exitCode, file).toBe(1);
    // Nobody is asked for a second one.
    expect((await node.shell('ls /sys/firmware/efi/efivars | grep FactoryReset', QUICK)).stdout).toBe('');

    const unclaimed = await fingerprintOf(node);
    expect(unclaimed).not.toBe(told);
    expect((await administrator.enroll(node, unclaimed, '--replace')).exitCode).toBe(FIRST_USE);
    // That of the boot before is gone with the data; here is what left the machine as it was written.
    expect(denialsIn((await node.logs()).journal ?? '')).toEqual([]);
  });
});
