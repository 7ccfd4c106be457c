// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { VirtualNode } from './driver.ts';

/**
 * Keeps the logs of a node in a folder of this title, below the one that the environment variable LAMADIST_LOGS names. Without it,
 * nothing is kept.
 */
export async function keepLogsAs(title: string, node: VirtualNode): Promise<void> {
  const parent = process.env.LAMADIST_LOGS;
  if (!parent) return;
  const folder = path.join(parent, title.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 150));
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(await node.logs())) await writeFile(path.join(folder, `${node.name}.${name}.log`), text);
}
