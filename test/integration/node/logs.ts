// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { VirtualNode } from '../../../qemu/driver.ts';

const JOURNAL = 'journalctl --no-pager --output=short-iso --merge';

/**
 * Keeps a node's console and the journal of all of its boots in a folder of the running test, below the one that the environment
 * variable LAMADIST_LOGS names. Without it, nothing is kept.
 */
export async function keepLogs(node: VirtualNode): Promise<void> {
  const parent = process.env.LAMADIST_LOGS;
  if (!parent) return;
  const test = (expect.getState().currentTestName ?? 'no test').replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 150);
  const folder = path.join(parent, test);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${node.name}.console.log`), await node.consoleLog());
  // A node that is off or hangs has no journal to show: its console says so.
  const journal = await node.shell(JOURNAL, { timeoutMs: 60_000 }).catch((error: Error) => ({ stdout: `${error.message}\n` }));
  await writeFile(path.join(folder, `${node.name}.journal.log`), journal.stdout);
}
