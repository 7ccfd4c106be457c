// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { BOOT, eventually, SCENARIO_MS } from '../integration/node/kind-of-node.ts';
import { withHomelab } from '../integration/node/scenario.ts';
import { onlyInAll } from './selection/machine-scenarios.ts';

/** The last word, as the layers have it: images of tests take credentials. */
const AS_SHIPPED = { words: ['systemd.import_credentials=no'] };
/** Units that credentials bring, as the console names them. */
const OF_THE_TESTER = /lamadist-(control|initramfs)\.(path|service)/;
const UP = /Reached target \S*basic\.target/;

it.for([
  ['as it is shipped takes no credentials from firmware or hypervisor', AS_SHIPPED, false],
  ['of tests takes them', {}, true],
] as const)('an image %s', { timeout: SCENARIO_MS }, ([, variant, takes], { skip }) => {
  onlyInAll(skip);
  return withHomelab(vmDriver, async (homelab) => {
    const node = await homelab.addNode('attic', await homelab.image('1', variant));
    await node.start();
    await eventually('the root to be up', BOOT.timeoutMs, async () => UP.test(await node.consoleLog()) || undefined);
    expect(OF_THE_TESTER.test(await node.consoleLog())).toBe(takes);
  });
});
