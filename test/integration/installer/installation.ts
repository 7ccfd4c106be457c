// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { withPrivateMounts } from '../../../qemu/host/private-mounts.ts';
import { shellWords } from '../../../qemu/host/shell-words.ts';
import { temporaryFolder } from '../../unit/fakes/folder.ts';

const INSTALLER = path.resolve(import.meta.dirname, '../../../meta-lamadist/recipes-installer/installer/files/lamadist-install');
/** It waits half a minute for a disk. */
const TIMEOUT_MS = 60_000;

/** What an installer finds in a machine. */
export interface Machine {
  /** What the kernel's command line says to it, each after `lamadist.install.`. */
  readonly words?: readonly string[];
  readonly disks?: readonly string[];
  /** The file system that it was started from. */
  readonly medium?: string;
  /** What is typed at the end of its questions, in turn. */
  readonly answers?: readonly string[];
  /** A file with the authority of the servers that it may trust. */
  readonly authority?: string;
}

/** How it ended. */
interface Installation {
  readonly exitCode: number | null;
  /** All that was on the console, with what was typed. */
  readonly console: string;
  readonly restarted: boolean;
}

/** Attaches a file as a disk until the test is over. */
export async function disk(file: string): Promise<string> {
  const { stdout } = await execa('losetup', ['--find', '--show', file]);
  onTestFinished(async () => void (await execa('losetup', ['--detach', stdout])));
  return stdout;
}

/** Runs the installer to its end in such a machine. */
export async function install({ words = [], disks = [], medium, answers = [], authority }: Machine): Promise<Installation> {
  const folder = await temporaryFolder();
  const commandLine = path.join(folder, 'command-line');
  await writeFile(commandLine, `ro ${words.map((word) => `lamadist.install.${word}`).join(' ')}\n`);
  const devices = [...new Set(medium === undefined ? disks : [medium, ...disks])];
  const script = path.join(import.meta.dirname, 'installation.sh');
  const command = withPrivateMounts(['sh', script, INSTALLER, commandLine, folder, medium ?? '', ...devices]);
  const child = spawn('script', ['-q', '-e', '-f', '-c', `exec ${shellWords(command)}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
    env: { PATH: process.env.PATH, SHELL: '/bin/sh', ...(authority === undefined ? {} : { CURL_CA_BUNDLE: authority }) },
  });
  const left = [...answers];
  let console = '';
  child.stdout.on('data', (octets: Buffer) => {
    console += octets;
    // Both of its questions end like this, and nothing else that it says.
    if (console.endsWith(': ') && left.length > 0) child.stdin.write(`${left.shift()}\n`);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const restarted = await access(path.join(folder, 'restarted')).then(
    () => true,
    () => false,
  );
  return { exitCode, console: console.replaceAll('\r', ''), restarted };
}
