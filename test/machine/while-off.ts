// SPDX-License-Identifier: Apache-2.0
import type { VirtualNode } from '../../qemu/driver.ts';
import type { Homelab } from '../../qemu/homelab.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { agentAnswers } from '../integration/node/ask-node.ts';
import { BOOT, QUICK } from '../integration/node/kind-of-node.ts';

interface Place {
  readonly homelab: Homelab;
  readonly node: VirtualNode;
}

/** Switches the machine on, and waits until it has come up by itself and its agent answers. */
export async function comesUp({ homelab, node }: Place): Promise<void> {
  await node.start();
  await node.waitForBoot(BOOT);
  await agentAnswers(homelab);
}

/** Switches the machine off, changes its disk, and switches it on: it has to come up again by itself. */
export async function whileOff(place: Place, change: (disk: VirtualMachine['diskAtRest']) => Promise<void>): Promise<void> {
  const machine = place.node as VirtualMachine;
  await machine.shell('systemctl --no-block poweroff', QUICK);
  await machine.waitForPowerOff(BOOT);
  await change(machine.diskAtRest);
  await comesUp(place);
}
