// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commandProbe } from '../../../../../agent/daemon/platform/linux/command-probe.ts';

const LIVE = new AbortController().signal;
const SOON = { timeout: 10_000, interval: 20 };

const probe = (argv: readonly string[], signal = LIVE) => commandProbe({ type: 'command', argv }, signal);
const shell = (script: string, signal = LIVE) => probe(['/bin/sh', '-c', script], signal);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'command-probe-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The process whose id a script wrote to a file in the folder. */
async function processIn(name: string): Promise<number> {
  const path = join(folder, name);
  await vi.waitUntil(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'), SOON);
  return Number(readFileSync(path, 'utf8'));
}

function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('holds when the program exits with 0', async () => {
  await expect(probe(['/bin/true'])).resolves.toEqual({ holds: true, detail: '/bin/true exited with 0' });
});

test('does not hold for another exit code, and repeats the last line of what went to stderr', async () => {
  await expect(shell('echo first >&2; echo "disk is gone" >&2; echo "not this"; exit 3')).resolves.toEqual({
    holds: false,
    detail: '/bin/sh exited with 3: disk is gone',
  });
  await expect(probe(['/bin/false'])).resolves.toEqual({ holds: false, detail: '/bin/false exited with 1' });
});

test('does not hold when a signal ends it', async () => {
  await expect(shell('kill -SEGV $$')).resolves.toEqual({ holds: false, detail: '/bin/sh was ended by SIGSEGV' });
});

test.each([
  ['a program that is not there', '/nowhere/at/all', 'no such file or directory'],
  ['a file that is no program', '/etc/passwd', 'permission denied'],
])('does not hold for %s', async (_, program, reason) => {
  await expect(probe([program])).resolves.toEqual({ holds: false, detail: `cannot run ${program}: ${reason}` });
});

test('passes its arguments on as they are, for no shell reads them', async () => {
  await expect(probe(['/bin/sh', '-c', 'test "$1" = "\\$(id); *"', 'sh', '$(id); *'])).resolves.toMatchObject({ holds: true });
});

test('keeps the environment of the agent to itself', async () => {
  process.env.LAMADIST_TEST_SECRET = 'secret';
  await shell(`env > ${folder}/env`);
  delete process.env.LAMADIST_TEST_SECRET;
  const names = readFileSync(join(folder, 'env'), 'utf8').match(/^\w+(?==)/gm) ?? [];
  expect(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name)).sort()).toEqual(['LANG', 'PATH']);
});

test('reads a flood to its end and keeps the last line', async () => {
  const { holds, detail } = await shell('yes "a line of noise" | head -c 20000000 >&2; echo last >&2; exit 1');
  expect({ holds, detail }).toEqual({ holds: false, detail: '/bin/sh exited with 1: last' });
});

describe('leaves no process behind', () => {
  test('when the signal ends it, not even one that heeds no SIGTERM', async () => {
    const stop = new AbortController();
    const looking = shell(`trap '' TERM; sleep 600 & echo $! > ${folder}/child; echo $$ > ${folder}/shell; wait; sleep 600`, stop.signal);
    const pids = [await processIn('child'), await processIn('shell')];
    expect(pids.map(runs)).toEqual([true, true]);
    stop.abort(new Error('enough'));
    await expect(looking).rejects.toThrow('enough');
    await vi.waitUntil(() => !pids.some(runs), SOON);
  });

  test('when the program ends before its children', async () => {
    await expect(shell(`sleep 600 & echo $! > ${folder}/child`)).resolves.toMatchObject({ holds: true });
    const pid = await processIn('child');
    await vi.waitUntil(() => !runs(pid), SOON);
  });
});

test('does not wait for a process that left the group and holds stderr open', async () => {
  const found = await shell(`setsid sleep 600 & echo $! > ${folder}/daemon; sleep 0.2; echo why >&2; exit 1`);
  const pid = await processIn('daemon');
  if (runs(pid)) process.kill(pid, 'SIGKILL');
  expect(found).toEqual({ holds: false, detail: '/bin/sh exited with 1: why' });
});

test('does not begin when the signal is aborted already', async () => {
  await expect(shell(`echo > ${folder}/ran`, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  await sleep(100);
  expect(existsSync(join(folder, 'ran'))).toBe(false);
});
