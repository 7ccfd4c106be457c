// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Driver, VirtualNode } from './driver.ts';

interface Copier {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
}

/**
 * Keeps the logs of nodes in a folder of this title, below the one that the environment variable LAMADIST_LOGS names. Without it,
 * nothing is kept. They get there while they are written, so they are there, too, when this process is killed.
 */
export class KeptLogs {
  readonly #folder: string | undefined;
  readonly #nodes: { readonly node: VirtualNode; readonly copiers: readonly Copier[] }[] = [];

  constructor(title: string) {
    const parent = process.env.LAMADIST_LOGS;
    this.#folder = parent && path.resolve(parent, title.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 150));
  }

  /** The same driver; the logs of its nodes are kept from their making on. */
  around(driver: Driver): Driver {
    const folder = this.#folder;
    if (!folder) return driver;
    return {
      ...driver,
      createNode: async (request) => {
        await mkdir(folder, { recursive: true });
        const node = await driver.createNode(request);
        const copiers = Object.entries(node.logFiles).map(([name, file]) => copyAsItGrows(file, this.#target(node, name)));
        this.#nodes.push({ node, copiers });
        return node;
      },
    };
  }

  /** Puts all that the nodes leave to read in the place of what was copied. They must not be taken away yet. */
  async finish(): Promise<void> {
    for (const { node, copiers } of this.#nodes.splice(0)) {
      await Promise.all(copiers.map((copier) => end(copier)));
      for (const [name, text] of Object.entries(await node.logs())) {
        const target = this.#target(node, name);
        await writeFile(`${target}.new`, text);
        await rename(`${target}.new`, target);
      }
    }
  }

  #target({ name: node }: VirtualNode, log: string): string {
    return path.join(this.#folder ?? '', `${node}.${log}.log`);
  }
}

async function end({ process: copier, ended }: Copier): Promise<void> {
  copier.ref();
  copier.kill();
  await ended;
}

/** By a process of its own, which outlives this one and its terminal's interrupts by the second that the rest takes. */
function copyAsItGrows(file: string, target: string): Copier {
  const output = openSync(target, 'w');
  const options = ['--lines=+1', '--follow=descriptor', '--sleep-interval=1', `--pid=${process.pid}`];
  const copier = spawn('tail', [...options, file], { stdio: ['ignore', output, 'ignore'], detached: true });
  closeSync(output);
  copier.unref();
  return { process: copier, ended: once(copier, 'exit') };
}
