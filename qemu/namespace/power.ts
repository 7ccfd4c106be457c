// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../host/deadline.ts';
import { withPrivateMounts } from '../host/private-mounts.ts';
import { shellWords } from '../host/shell-words.ts';
import type { Bootname } from './boot-loader.ts';
import type { NodeFolder } from './node-folder.ts';

/** How a boot ended. */
type PowerEnd = 'reboot' | 'power-off' | 'killed' | 'broken';

export interface PoweredNode {
  /** The host's number of the node's PID 1. */
  readonly pid: number;
  readonly ended: Promise<PowerEnd>;
}

/**
 * script(1) gives the node a console and ends with 128 + the signal that ended PID 1. A PID namespace whose init asks for a
 * reboot ends by SIGHUP, one that asks for a power-off or a halt by SIGINT (reboot(2), "Behavior inside PID namespaces").
 */
const ENDS: Readonly<Record<number, PowerEnd>> = { 129: 'reboot', 130: 'power-off', 137: 'killed' };
const START_TIMEOUT_MS = 30_000;

/** Boots one slot. Returns when PID 1 is about to become systemd; throws when it never got there. */
export async function powerOn(folder: NodeFolder, bootname: Bootname, bootId: string): Promise<PoweredNode> {
  await folder.clearBoot();
  const launch = withPrivateMounts(['sh', path.join(import.meta.dirname, 'launch.sh')]);
  const commandLine = `exec ${shellWords(launch)}`;
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'script', '-q', '-e', '-f', '-a', '-c', commandLine, folder.console], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      SHELL: '/bin/sh',
      NODE: folder.path,
      CGROUP: folder.controlGroup,
      BOOTNAME: bootname,
      BOOT_ID: bootId,
    },
  });
  let end: PowerEnd | undefined;
  const ended = endOf(child).then((how) => {
    end = how;
    return how;
  });
  const pid = await until('the first process of the node', START_TIMEOUT_MS, async () => {
    if (end) throw new Error(`Cannot boot slot ${bootname}: its first process ended early; the console says\n${await consoleTail(folder)}`);
    return readPid(folder);
  });
  return { pid, ended };
}

async function readPid(folder: NodeFolder): Promise<number | undefined> {
  try {
    return Number(await readFile(folder.pid, 'utf8'));
  } catch {
    return undefined;
  }
}

function endOf(child: ChildProcess): Promise<PowerEnd> {
  return new Promise((resolve) => {
    child.once('error', () => resolve('broken'));
    child.once('close', (code, signal) => resolve(signal === 'SIGKILL' ? 'killed' : (ENDS[code ?? -1] ?? 'broken')));
  });
}

/** The last lines of the console, for error messages. */
export async function consoleTail(folder: NodeFolder): Promise<string> {
  return (await readFile(folder.console, 'utf8')).trimEnd().split(/\r?\n/).slice(-20).join('\n');
}
