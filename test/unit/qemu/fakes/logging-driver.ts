// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import type { Driver, NodeRequest, VirtualNode } from '../../../../qemu/driver.ts';

/** Makes nodes that are nothing but a console, which is this file. */
export function loggingDriver(consoleFile: string): Driver {
  const createNode = async ({ name }: NodeRequest) => {
    await writeFile(consoleFile, 'made\n');
    const logs = async () => ({ console: await readFile(consoleFile, 'utf8'), journal: 'asked for\n' });
    return { name, host: '127.0.0.1', port: 1, logFiles: { console: consoleFile }, logs, stop: async () => {} } as unknown as VirtualNode;
  };
  const nothing = async () => ({ version: '1', path: '' });
  return { createNode, buildImage: nothing, buildBundle: nothing, bootFiles: async () => ({ ukis: [] }) };
}
