// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Takes a lock that a file stands for, among all processes of this machine, and gives it back when this process ends, at the latest.
 * Resolves with what gives it back; undefined when somebody else had it for so long.
 */
export async function takeLock(file: string, timeoutMs: number): Promise<(() => Promise<void>) | undefined> {
  await mkdir(path.dirname(file), { recursive: true });
  const command = ['--timeout', String(timeoutMs / 1000), file, 'sh', '-c', 'echo taken; exec cat'];
  const holder = spawn('flock', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  const isTaken = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!isTaken) return undefined;
  return async () => {
    holder.stdin.end();
    await ended;
  };
}
