// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';

const DEADLINE_MS = 60_000;
/** Where each shell looks for what completes a command, below /usr/share. */
const COMPLETIONS = {
  bash: 'bash-completion/completions/lamactl',
  zsh: 'zsh/site-functions/_lamactl',
  fish: 'fish/vendor_completions.d/lamactl.fish',
} as const;

/** Has lamactl write what belongs into /usr/share beside it: its manual pages, and its completion for each shell. */
export async function writeShare(lamactl: string, folder: string): Promise<void> {
  const run = async (...args: string[]) =>
    execa(process.execPath, [lamactl, ...args], { timeout: DEADLINE_MS, stripFinalNewline: false, env: await sourceDate() });
  const completions = Object.entries(COMPLETIONS).map(async ([shell, place]) => {
    const { stdout } = await run('completion', shell);
    await mkdir(dirname(join(folder, place)), { recursive: true });
    await writeFile(join(folder, place), stdout);
  });
  await Promise.all([run('man', '--folder', join(folder, 'man/man1')), ...completions]);
}

/** The same commit makes the same pages: they have its date, unless whoever builds says another (reproducible-builds.org). */
async function sourceDate(): Promise<{ SOURCE_DATE_EPOCH?: string }> {
  if (process.env.SOURCE_DATE_EPOCH) return {};
  const { exitCode, stdout } = await execa('git', ['log', '-1', '--format=%ct'], { cwd: import.meta.dirname, reject: false });
  return exitCode === 0 ? { SOURCE_DATE_EPOCH: stdout } : {};
}
