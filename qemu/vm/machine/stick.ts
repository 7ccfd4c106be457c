// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../host/command.ts';
import { inRoot, WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import type { VmFolder } from './vm-folder.ts';

const QUICK_MS = 120_000;
const SPARE_BYTES = 16 << 20;

/** Makes a stick in the machine's folder: vfat without a partition table, as many are, with one file. Returns its name there. */
export async function makeStick(tools: Root, folder: VmFolder, hostPath: string): Promise<string> {
  const name = 'stick.img';
  const file = await folder.share(hostPath);
  const size = String((await stat(hostPath)).size + SPARE_BYTES);
  const inTools = (command: readonly string[]) => run(inRoot(tools, folder.path, command), { timeoutMs: QUICK_MS });
  await inTools(['truncate', `--size=${size}`, `${WORK}/${name}`]);
  await inTools(['mkfs.vfat', '-n', 'STICK', `${WORK}/${name}`]);
  await inTools(['mcopy', '-i', `${WORK}/${name}`, `${WORK}/media/${file}`, `::/${path.basename(hostPath)}`]);
  return name;
}
