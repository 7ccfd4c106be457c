// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { VirtualNode } from '../../qemu/driver.ts';
import { until } from '../../qemu/host/deadline.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { COMMITTED, report, shellOk } from '../integration/node/ask-node.ts';
import { BOOT, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { nothingWasDenied, onNode, withHomelab } from '../integration/node/scenario.ts';
import { ENCRYPTED, type Encrypted, luksMetadata, luksUuid, mapping } from './luks2.ts';
import { onlyInAll } from './selection/machine-scenarios.ts';
import { comesUp, whileOff } from './while-off.ts';

/** Of the only key of a slot, in its LUKS2: behind both headers and the place of the key that it was encrypted with. */
const KEY = { partition: 'root-b', offsetBytes: 32_768 + 258_048 + 5 } as const;

interface Luks2 {
  readonly keyslots: Readonly<Record<string, unknown>>;
  readonly tokens: Readonly<
    Record<string, { readonly type: string; readonly 'tpm2-pcrs'?: number[]; readonly tpm2_pubkey_pcrs?: number[] }>
  >;
}

/** The one key of a partition that is inside LUKS2, which is the TPM's, and the PCRs that it is bound to: literally, and by signed policy. */
async function keyOf(node: VirtualNode, partition: Encrypted): Promise<object> {
  const { keyslots, tokens } = JSON.parse(await luksMetadata(node, partition)) as Luks2;
  const bindings = Object.values(tokens).map(({ type, 'tpm2-pcrs': literal, tpm2_pubkey_pcrs: signed }) => ({ type, literal, signed }));
  return { keys: Object.keys(keyslots).length, tokens: bindings };
}

const boundTo = (...literal: number[]) => ({ keys: 1, tokens: [{ type: 'systemd-tpm2', literal, signed: [11] }] });

/** The data and both slots are opened LUKS2; only the data is bound to the keys of Secure Boot, too. */
async function expectAllEncrypted(node: VirtualNode): Promise<void> {
  for (const partition of ['root-a', 'root-b', 'var'] as const) {
    expect(await mapping(node, partition)).toMatch(ENCRYPTED);
    expect(await keyOf(node, partition)).toEqual(partition === 'var' ? boundTo(7) : boundTo());
  }
  expect((await shellOk(node, 'findmnt -no FSTYPE /etc')).trim()).toBe('overlay');
}

describe('root slots inside LUKS2', { timeout: 2 * SCENARIO_MS }, () => {
  it('keep their header when they are updated', () =>
    onNode({}, async ({ homelab, node, bundle }) => {
      await expectAllEncrypted(node);
      const headers = async () => ({ a: await luksUuid(node, 'root-a'), b: await luksUuid(node, 'root-b') });
      const before = await headers();
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      expect(await report(homelab)).toMatchObject(COMMITTED);
      await expectAllEncrypted(node);
      expect(await headers()).toEqual(before);
    }));

  it('one that does not open is left, and encrypted anew', ({ skip }) => {
    onlyInAll(skip);
    return onNode({}, async ({ homelab, node, bundle }) => {
      const before = await luksUuid(node, 'root-b');
      expect((await homelab.lamactl(['install', '--on-node', bundle])).exitCode).toBe(0);
      await whileOff({ homelab, node }, (disk) => disk.tamper(KEY));
      expect(await report(homelab)).toMatchObject({ version: '1', booted: 'A' });
      const console = await node.consoleLog();
      expect(console).toContain('Cannot open root slot root-b');
      expect(console).toContain('The last 3 boots did not succeed');

      const again = await node.deliver(homelab.bundlePath('2'));
      const { exitCode, all } = await homelab.lamactl(['install', '--force', '--on-node', again]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0 });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      await expectAllEncrypted(node);
      expect(await luksUuid(node, 'root-b')).not.toBe(before);
    });
  });

  it('are encrypted by the first boot, even when the power is cut while it does', () => {
    return withHomelab(vmDriver, async (homelab) => {
      const node = (await homelab.addNode('attic', await homelab.image('1'))) as VirtualMachine;
      await node.start();
      const begun = async () => (await node.consoleLog()).includes('Encrypted root-a') || undefined;
      await until('slot A to be encrypted', BOOT.timeoutMs, begun);
      await node.cutPower();
      await comesUp({ homelab, node });
      expect((await node.consoleLog()).match(/Encrypted root-a/g)).toHaveLength(2);
      await expectAllEncrypted(node);
      await nothingWasDenied(homelab);
    });
  });
});
