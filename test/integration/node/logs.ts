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

/** Fails when the journal cannot be read, and not when it has no such line. */
const DENIALS = `journalctl --sync && journal=$(journalctl --no-pager --output=cat) && printf '%s\\n' "$journal" | sed -n '/avc:  denied/p'`;

/** What SELinux denied in any boot of the node, and what it would have denied, as the journal has it. */
export async function denials(node: VirtualNode): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await node.shell(DENIALS, { timeoutMs: 120_000 });
  if (exitCode !== 0) throw new Error(`Cannot tell what SELinux denied on ${node.name}: ${stderr.trim()}`);
  return stdout.split('\n').filter((line) => line !== '');
}
