// SPDX-License-Identifier: Apache-2.0
import { access } from 'node:fs/promises';

/** Whether RAUC can stream a bundle on this node: it does so through the kernel's network block device (nbd(4)). */
export async function hasNetworkBlockDevice(sysFolder = '/sys'): Promise<boolean> {
  return access(`${sysFolder}/class/block/nbd0`).then(
    () => true,
    () => false,
  );
}
