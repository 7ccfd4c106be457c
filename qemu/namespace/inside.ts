// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';
import { STOPPED } from '../host/timeout-exit-codes.ts';
import type { ShellOptions, ShellResult } from '../machine.ts';

const MARGIN_MS = 5000;

/** Runs a command line inside the node whose PID 1 has this number on the host. */
export async function shellInside(pid: number, command: string, options: ShellOptions): Promise<ShellResult> {
  // The limit holds inside as well: what nsenter started would live on when only nsenter is killed.
  const limited = ['timeout', '--kill-after=1', String(options.timeoutMs / 1000), '/bin/sh', '-c', command];
  const asUser = options.user && options.user !== 'root' ? ['runuser', '-u', options.user, '--', ...limited] : limited;
  const enter = ['-t', String(pid), '--mount', '--uts', '--ipc', '--pid', '--cgroup', '--root', '--wd', '--'];
  const result = await execa('nsenter', [...enter, ...asUser], {
    reject: false,
    extendEnv: false,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root', TERM: 'dumb', LANG: 'C.UTF-8' },
    timeout: options.timeoutMs + MARGIN_MS,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  if (result.timedOut || STOPPED.includes(result.exitCode ?? 0)) {
    throw new Error(`Cannot finish "${command}" in the node: it did not end within ${options.timeoutMs} ms`);
  }
  if (result.exitCode === undefined) throw new Error(`Cannot run "${command}" in the node: ${result.shortMessage}`);
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}
