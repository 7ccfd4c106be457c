// SPDX-License-Identifier: Apache-2.0
import { cachedFolder } from '../../../cache/cached-folder.ts';
import { codeId } from '../../../cache/code-id.ts';
import { contentId } from '../../../cache/content-id.ts';
import type { Driver, NodeRequest } from '../../../driver.ts';
import { until } from '../../../host/deadline.ts';
import { timed } from '../../../host/say.ts';
import type { Image } from '../../../image/image-recipe.ts';
import { withLoggedHomelab } from '../../../logged-homelab.ts';
import { STARTED_WITH } from '../started-with.ts';
import type { VirtualMachine } from '../virtual-machine.ts';

/** About 1.2 GB each. */
const MOST_MACHINES = 2;
const BOOT_MS = 900_000;
const QUICK_MS = 120_000;
const PAUSE_MS = 5_000;

/** Waits until the machine has nothing more to start. Throws when any of it failed: it would have in each machine that goes on from here. */
async function atRest(node: VirtualMachine): Promise<void> {
  const { exitCode, stdout } = await node.shell('systemctl is-system-running --wait && sync', { timeoutMs: BOOT_MS });
  if (exitCode === 0) return;
  const { stdout: failed } = await node.shell('systemctl --failed --plain --no-legend', { timeoutMs: QUICK_MS });
  throw new Error(`Cannot suspend ${node.name}: it is ${stdout.trim()}, with ${failed.trim() || 'no failed unit'}`);
}

const titleOf = (image: Image): string => `Booting image ${image.version} once, for the machines that resume from there`;

/**
 * The folder of a machine that booted the image for the first time, came to rest as a healthy node, and was suspended: from the
 * cache, or made now, which takes as long as a first boot.
 */
export async function suspendedMachine(driver: Driver, { name, image, say }: NodeRequest): Promise<string> {
  return cachedFolder('suspended', contentId([name, image.path, await codeId(STARTED_WITH)]), MOST_MACHINES, (target) =>
    timed(say, titleOf(image), () =>
      withLoggedHomelab(titleOf(image), say, driver, async (homelab) => {
        const node = (await homelab.addNode(name, image)) as VirtualMachine;
        await node.start();
        await node.waitForBoot({ timeoutMs: BOOT_MS });
        const healthy = async () => (await homelab.lamactl(['status'])).exitCode === 0 || undefined;
        await until('the node to be healthy', BOOT_MS, healthy, PAUSE_MS);
        await atRest(node);
        await node.suspend(target);
      }),
    ),
  );
}
