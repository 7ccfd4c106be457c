// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../../cached-folder.ts';
import { contentId } from '../../content-id.ts';
import { until } from '../../deadline.ts';
import type { Driver, NodeRequest } from '../../driver.ts';
import { Homelab } from '../../homelab.ts';
import type { Image } from '../../image/build-image.ts';
import { KeptLogs } from '../../kept-logs.ts';
import { timed } from '../../say.ts';
import type { VirtualMachine } from './virtual-machine.ts';

const HERE = import.meta.dirname;
/** What a suspended machine was started with, and expects when it is resumed. */
const STARTED_WITH = [
  '../architecture.ts',
  'qemu-command.ts',
  'credentials.ts',
  'testers-units.ts',
  'control-shell.sh',
  'efibootmgr-hold.sh',
  'factory.ts',
  'suspended-machine.ts',
];
/** About 1.2 GB each. */
const MOST_MACHINES = 2;
const BOOT_MS = 900_000;
const PAUSE_MS = 5_000;

const titleOf = (image: Image): string => `Booting image ${image.version} once, for the machines that resume from there`;

/**
 * The folder of a machine that booted the image for the first time, came to rest as a healthy node, and was suspended: from the
 * cache, or made now, which takes as long as a first boot.
 */
export async function suspendedMachine(driver: Driver, { name, image, say }: NodeRequest): Promise<string> {
  const scripts = await Promise.all(STARTED_WITH.map((file) => readFile(path.join(HERE, file), 'utf8')));
  return cachedFolder('suspended', contentId([name, image.path, ...scripts]), MOST_MACHINES, (target) =>
    timed(say, titleOf(image), async () => {
      const logs = new KeptLogs(titleOf(image));
      const homelab = await Homelab.create(say, logs.around(driver));
      try {
        const node = (await homelab.addNode(name, image)) as VirtualMachine;
        await node.start();
        await node.waitForBoot({ timeoutMs: BOOT_MS });
        await until(
          'the node to be healthy',
          BOOT_MS,
          async () => ((await homelab.lamactl(['status'])).exitCode === 0 ? true : undefined),
          PAUSE_MS,
        );
        await node.shell('systemctl is-system-running --wait; sync', { timeoutMs: BOOT_MS });
        await node.suspend(target);
      } finally {
        await logs.finish();
        await homelab.remove();
      }
    }),
  );
}
