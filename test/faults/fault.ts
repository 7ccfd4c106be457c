// SPDX-License-Identifier: Apache-2.0
import type { VirtualNode } from '../../qemu/driver.ts';

const KILL = 'systemctl kill --signal=KILL --kill-whom=main';
const SHELL = { timeoutMs: 30_000 };

export interface Fault {
  readonly name: string;
  /** May throw when the node is between two boots: then there was nothing to be done to it. */
  strike(node: VirtualNode): Promise<unknown>;
}

const command = (name: string, line: string): Fault => ({ name, strike: (node) => node.shell(line, SHELL) });

export const FAULTS: readonly Fault[] = [
  command('agent killed', `${KILL} lamadist-agent.service`),
  command('RAUC killed', `${KILL} rauc.service`),
  command('bus killed', `${KILL} dbus.service`),
  command('bus restarted', 'systemctl restart dbus.service'),
  {
    name: 'power cut',
    async strike(node) {
      await node.cutPower();
      await node.start();
    },
  },
];
