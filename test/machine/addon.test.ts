// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Homelab } from '../../qemu/homelab.ts';
import { until } from '../../qemu/host/deadline.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { COMMITTED, report, shellOk } from '../integration/node/ask-node.ts';
import { believe, judge } from '../integration/node/attested-node.ts';
import { BOOT, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { nothingWasDenied, onNode, withHomelab } from '../integration/node/scenario.ts';
import { whileOff } from './while-off.ts';

const MACHINE_ID = '0123456789abcdef0123456789abcdef';
const NAME = 'systemd.hostname=cellar';
const COMMAND_LINE = `${NAME} systemd.machine_id=${MACHINE_ID} ip=10.0.2.15::10.0.2.2:255.255.255.0::enp0s3:off lamadist.enrol_ca=sha256:${'ab'.repeat(32)}`;
const REFUSED = /addon.*(Security violation|Access denied)|(Security violation|Access denied).*addon/i;

/** What the image of a version and the node's addon lead to, from their files alone. */
async function learn(homelab: Homelab, version: string, addon: string): Promise<void> {
  const { ukis, loader = '' } = await homelab.bootFiles(version);
  const files = ['--uki', ...ukis, '--loader', loader, '--addon', addon];
  expect(await homelab.lamactl(['attest', 'learn', '-n', 'attic', ...files])).toMatchObject({ exitCode: 0 });
}

describe("a node's own addon", { timeout: SCENARIO_MS }, () => {
  it('names the node, stays through an update, is attested, and one changed bit of it shows', () =>
    onNode({ node: { commandLine: COMMAND_LINE } }, async ({ homelab, node, bundle }) => {
      const machine = node as VirtualMachine;
      const whoAmI = () => shellOk(node, 'hostname; cat /etc/machine-id; ip -4 -o address show scope global');
      // The one that DHCP would give would be "dynamic".
      const itself = new RegExp(`^cellar\n${MACHINE_ID}\n.*inet 10\\.0\\.2\\.15/24(?!.*dynamic)`);
      expect(await whoAmI()).toMatch(itself);

      await believe(homelab);
      await learn(homelab, '1', machine.addon);
      expect(await judge(homelab)).toMatchObject({ verdict: 'TRUSTED (first use)' });

      const gate = ['--require-attestation', '--expect', homelab.bundlePath('2')];
      const { exitCode, all } = await homelab.lamactl(['install', '--on-node', bundle, ...gate]);
      expect({ exitCode, all }).toMatchObject({ exitCode: 0, all: expect.stringContaining('committed') });
      expect(await report(homelab)).toMatchObject(COMMITTED);
      expect(await whoAmI()).toMatch(itself);

      await whileOff({ homelab, node }, (disk) => disk.tamper({ partition: 'esp-b', text: NAME }));
      expect(await shellOk(node, 'hostname')).not.toContain('cellar');
      expect(await judge(homelab)).toMatchObject({ verdict: 'REJECTED', reason: 'pcr-value', pcr: 4 });
      expect(await node.consoleLog()).toMatch(REFUSED);
    }));

  it('that nobody signed is not used, and the console says so', () => {
    return withHomelab(vmDriver, async (homelab) => {
      const image = await homelab.image('1');
      const node = (await homelab.addNode('attic', image)) as VirtualMachine;
      await node.diskAtRest.putAddon({ commandLine: COMMAND_LINE, imageFolder: image.path, isSigned: false });
      await node.start();
      await until('the console to say so', BOOT.timeoutMs, async () => REFUSED.test(await node.consoleLog()) || undefined);
      await node.waitForBoot(BOOT);
      expect(await shellOk(node, 'hostname; cat /proc/cmdline')).not.toContain('cellar');
      await nothingWasDenied(homelab);
    });
  });
});
