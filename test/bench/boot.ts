// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Homelab } from '../../qemu/homelab.ts';
import { sayOnStderr } from '../../qemu/host/say.ts';
import type { VirtualMachine } from '../../qemu/vm/machine/virtual-machine.ts';
import { vmDriver } from '../../qemu/vm/vm-driver.ts';
import { shellOk } from '../integration/node/ask-node.ts';
import { BareMachine } from './boot/bare-machine.ts';
import { AGENT_PROPERTY, type BootPhases, MANAGER_PROPERTIES, medianOf, phasesOf, tableOf } from './boot/phases.ts';

const BOOTS = 3;
const BOOT_MS = 900_000;
const QUICK = { timeoutMs: 120_000 };
const LONGEST_UNITS = 20;
const OUTPUT = path.resolve(import.meta.dirname, '../../test-output/bench');

/** How long a node takes from its power button to an agent that serves, beside the same kernel with a shell: the figures as text. */
export async function bootBenchmark(): Promise<string> {
  const homelab = await Homelab.create(sayOnStderr, vmDriver);
  let bare: BareMachine | undefined;
  try {
    const image = await homelab.image('1');
    bare = await BareMachine.create(image.path);
    const node = (await homelab.addNode('attic', image)) as VirtualMachine;
    // The first boot makes the data partition; it is none of those that count.
    await bootedOnce(node);
    const [ofNode, ofBare]: [BootPhases[], BootPhases[]] = [[], []];
    for (let count = 0; count < BOOTS; count += 1) {
      await node.shell('systemctl --no-block poweroff', QUICK);
      await node.waitForPowerOff({ timeoutMs: BOOT_MS });
      ofBare.push(await bare.boot());
      ofNode.push(await bootedOnce(node));
    }
    await mkdir(OUTPUT, { recursive: true });
    const table = `boot: seconds, the median of ${BOOTS} boots\n${tableOf(medianOf(ofNode), medianOf(ofBare))}`;
    await writeFile(path.join(OUTPUT, 'boot-times.txt'), table);
    return `${table}${await keepPlot(node)}\n`;
  } finally {
    await homelab.remove();
    await bare?.remove();
  }
}

async function bootedOnce(node: VirtualMachine): Promise<BootPhases> {
  await node.start();
  await node.waitForBoot({ timeoutMs: BOOT_MS });
  // It says so, with another exit code, when a unit failed: that is a boot all the same.
  await node.shell('systemctl is-system-running --wait', { timeoutMs: BOOT_MS });
  // The kernel's clock, in the middle of the question.
  const beforeMs = node.poweredMs;
  const uptime = Number(await shellOk(node, 'cut -d" " -f1 /proc/uptime'));
  const firmwareMs = (beforeMs + node.poweredMs) / 2 - uptime * 1000;
  const ask = `systemctl show ${MANAGER_PROPERTIES.map((name) => `-p ${name}`).join(' ')}; systemctl show lamadist-agent -p ${AGENT_PROPERTY}`;
  return phasesOf(await shellOk(node, ask), firmwareMs);
}

/** Which unit waited for which, as a picture; and what took longest, as text. */
async function keepPlot(node: VirtualMachine): Promise<string> {
  const file = path.join(OUTPUT, 'boot.svg');
  await writeFile(file, await shellOk(node, 'systemd-analyze plot'));
  const blame = (await shellOk(node, 'systemd-analyze blame --no-pager')).split('\n').filter((line) => !line.endsWith('.device'));
  const chain = await shellOk(node, 'systemd-analyze critical-chain --no-pager');
  await writeFile(path.join(OUTPUT, 'boot.txt'), `${blame.slice(0, LONGEST_UNITS).join('\n')}\n${chain}`);
  return `Plot: ${path.relative(process.cwd(), file)}`;
}
