// SPDX-License-Identifier: Apache-2.0
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../host/command.ts';
import { withPrivateMounts } from '../host/private-mounts.ts';
import type { Say } from '../host/say.ts';
import { ownerOf } from './node-folder.ts';

/**
 * Removes a node's control groups. The tree is mounted for this alone, wherever the host has it. Another process may be at it
 * too: what counts is that they are gone.
 */
export async function removeControlGroup(name: string): Promise<void> {
  const remove = `find "/mnt/$1" -depth -type d -exec rmdir {} + 2>/dev/null || [ ! -d "/mnt/$1" ]`;
  const script = `mount -t cgroup2 cgroup2 /mnt && { for attempt in 1 2 3 4 5; do if ${remove}; then exit 0; fi; sleep 0.2; done; exit 1; }`;
  await run(withPrivateMounts(['sh', '-c', script, 'sh', name]), { timeoutMs: 10_000 });
}

/** Takes away what nodes left behind whose process was killed before it could: folders, groups, and disks not yet let go. */
export async function sweep(say: Say): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = ownerOf(name);
    if (owner === undefined || lives(owner)) continue;
    const folder = path.join(tmpdir(), name);
    say(`Removing ${folder}: the process that it belonged to is gone`);
    for (const device of await loopDevices(folder)) {
      // Whoever else sweeps may have let it go a moment before.
      await run(['losetup', '--detach', device], { timeoutMs: 10_000 }).catch((error: Error) => say(error.message));
    }
    await removeControlGroup(name);
    await rm(folder, { recursive: true, force: true });
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The loop devices whose disk is a file of this folder. */
async function loopDevices(folder: string): Promise<string[]> {
  const list = await run(['losetup', '--list', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE'], { timeoutMs: 10_000 });
  return list
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, file]) => file?.startsWith(`${folder}/`))
    .map(([name]) => name!);
}
