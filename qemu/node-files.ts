// SPDX-License-Identifier: Apache-2.0
import { shellWord } from './host/shell-words.ts';
import type { FileOptions, ShellOptions, ShellResult } from './machine.ts';

/** What reaches a node's files: its shell, and how long one command may take. */
export interface NodeFiles {
  readonly name: string;
  readonly timeoutMs: number;
  readonly shell: (command: string, options: ShellOptions) => Promise<ShellResult>;
}

/** Writes a file of the node, whole or not at all. */
export async function writeNodeFile(node: NodeFiles, target: string, content: string | Uint8Array, options: FileOptions): Promise<void> {
  const [to, unfinished] = [shellWord(target), shellWord(`${target}.new`)];
  const [owner, mode] = [shellWord(options.owner ?? 'root'), (options.mode ?? 0o644).toString(8)];
  const steps = [`cat >${unfinished}`, `chown ${owner}: ${unfinished}`, `chmod ${mode} ${unfinished}`, `mv ${unfinished} ${to}`];
  const { exitCode, stderr } = await node.shell(`umask 077 && ${steps.join(' && ')}`, { timeoutMs: node.timeoutMs, input: content });
  if (exitCode !== 0) throw new Error(`Cannot write ${target} on ${node.name}: ${stderr.trim()}`);
}

export async function readNodeFile(node: NodeFiles, target: string): Promise<string> {
  const { exitCode, stdout, stderr } = await node.shell(`cat ${shellWord(target)}`, { timeoutMs: node.timeoutMs });
  if (exitCode !== 0) throw new Error(`Cannot read ${target} on ${node.name}: ${stderr.trim()}`);
  return stdout;
}
