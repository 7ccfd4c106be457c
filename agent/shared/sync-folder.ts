// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';

/** Makes the names in a folder (a rename, a removal) survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
