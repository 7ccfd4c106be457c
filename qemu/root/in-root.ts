// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { withPrivateMounts } from '../host/private-mounts.ts';
import type { Root } from './prepare-root.ts';

/** Where a command in the root sees the folder of the host that it works on. */
export const WORK = '/mnt';

/** The host's command line that runs a command in the prepared root, on one folder of the host (which it sees at WORK). */
export function inRoot(root: Root, folder: string, command: readonly string[]): [string, ...string[]] {
  const script = path.join(import.meta.dirname, 'in-root.sh');
  const inside = ['sh', script, root.tools, folder, ...command] as const;
  return withPrivateMounts(root.foreign?.around(inside) ?? inside);
}
