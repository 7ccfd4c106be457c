// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Driver, VirtualNode } from './driver.ts';
import { until } from './host/deadline.ts';

const END_MS = 10_000;

interface KeptNode {
  readonly node: VirtualNode;
  /** What the paths of its logs begin with. */
  readonly prefix: string;
  readonly copiers: readonly ChildProcess[];
}

/**
 * Keeps the logs of nodes in a folder of this title, below the one that the environment variable LAMADIST_LOGS names. Without it,
 * nothing is kept. They get there while they are written, so they are there, too, when this process is killed. Those of a node of
 * the same name that are there already stay, and its own have a number: attic-2.console.log.
 */
export class KeptLogs {
  readonly #folder: string | undefined;
  readonly #nodes: KeptNode[] = [];

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
        const prefix = claimPrefix(folder, node.name);
        const copiers = Object.entries(node.logFiles).map(([log, file]) => copyAsItGrows(file, logOf(prefix, log)));
        this.#nodes.push({ node, prefix, copiers });
        return node;
      },
    };
  }

  /** Puts all that the nodes leave to read in the place of what was copied. They must not be taken away yet. */
  async finish(): Promise<void> {
    for (const { node, prefix, copiers } of this.#nodes.splice(0)) {
      await Promise.all(copiers.map((copier) => end(copier)));
      for (const [log, text] of Object.entries(await node.logs())) {
        const target = logOf(prefix, log);
        await writeFile(`${target}.new`, text);
        await rename(`${target}.new`, target);
      }
    }
  }
}

const logOf = (prefix: string, log: string): string => `${prefix}.${log}.log`;

/** The first prefix that no other node has, in this process or another: whoever makes the file of its console has it. */
function claimPrefix(folder: string, node: string): string {
  for (let number = 1; ; number += 1) {
    const prefix = path.join(folder, number === 1 ? node : `${node}-${number}`);
    try {
      closeSync(openSync(logOf(prefix, 'console'), 'wx'));
      return prefix;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

async function end(copier: ChildProcess): Promise<void> {
  copier.kill();
  await until('the copier of a log to end', END_MS, async () => copier.exitCode ?? copier.signalCode ?? undefined);
}

/** By a process of its own, which outlives this one and its terminal's interrupts by the second that the rest takes. */
function copyAsItGrows(file: string, target: string): ChildProcess {
  const output = openSync(target, 'w');
  const options = ['--lines=+1', '--follow=descriptor', '--sleep-interval=1', `--pid=${process.pid}`];
  const copier = spawn('tail', [...options, file], { stdio: ['ignore', output, 'ignore'], detached: true });
  closeSync(output);
  copier.unref();
  return copier;
}
