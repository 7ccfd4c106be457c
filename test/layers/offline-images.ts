// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { X86_64 } from '../../qemu/vm/architecture.ts';

/** Where the part `offline` left what BitBake made for the PC, below the folder that --work named. */
export function offlineImages(work: string): string {
  return path.join(work, 'offline/tmp-glibc/deploy/images', X86_64.machine);
}
