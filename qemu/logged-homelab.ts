// SPDX-License-Identifier: Apache-2.0
import type { Driver } from './driver.ts';
import { Homelab } from './homelab.ts';
import type { Say } from './host/say.ts';
import { KeptLogs } from './kept-logs.ts';

/**
 * Has a homelab for as long as `use` takes. The logs of its nodes are kept under a title, and everything else is taken away
 * afterwards, also when those could not be written.
 */
export async function withLoggedHomelab(title: string, say: Say, driver: Driver, use: (homelab: Homelab) => Promise<void>): Promise<void> {
  const logs = new KeptLogs(title);
  const homelab = await Homelab.create(say, logs.around(driver));
  try {
    await use(homelab);
  } finally {
    await logs.finish().finally(() => homelab.remove());
  }
}
