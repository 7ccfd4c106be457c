// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Root } from '../root/prepare-root.ts';

/** The kernel of a root. Throws when it has none. */
export async function kernelFile({ tools }: Root): Promise<string> {
  const boot = path.join(tools, 'boot');
  const name = (await readdir(boot)).find((each) => each.startsWith('vmlinuz-'));
  if (name === undefined) throw new Error(`Cannot boot what is in ${tools}: ${boot} has no kernel`);
  return path.join(boot, name);
}
