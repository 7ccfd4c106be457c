// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { MACHINE } from '../../qemu/vm/layers.ts';

/** Where the part `offline` left what BitBake made for the PC, below the folder that --work named. */
export function offlineImages(work: string): string {
  return path.join(work, 'offline/tmp-glibc/deploy/images', MACHINE);
}
