// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { until } from '../../host/deadline.ts';
import { inRoot, WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import type { VmFolder } from './vm-folder.ts';

const START_MS = 30_000;
const END_MS = 30_000;
const SOCKETS = ['tpm.sock', 'control.sock', 'qmp.sock'];
const TPM = ['swtpm', 'socket', '--tpm2', '--tpmstate', `dir=${WORK}/tpm`, '--ctrl', `type=unixio,path=${WORK}/tpm.sock`];

/** Why a machine is off that was told to do so from inside. */
export const SWITCHED_ITSELF_OFF = 'it switched itself off';

export interface Commands {
  readonly qemu: readonly string[];
  readonly hasTpm: boolean;
  /** Whether QEMU has this process's terminal. */
  readonly onTerminal: boolean;
}

/** QEMU and the TPM of a machine, each with a socket in its folder, in the root that has their programs. Neither outlives this process. */
export class Processes {
  /** Those that have not ended yet. */
  readonly #running = new Set<ChildProcess>();
  #tpm: ChildProcess | undefined;

  private constructor(
    private readonly name: string,
    private readonly folder: VmFolder,
    private readonly tools: Root,
    private readonly onEnd: (why: string) => void,
  ) {}

  /** `onEnd` is told when QEMU has ended, and why. Throws, and leaves none of them, when one does not start. */
  static async start(
    name: string,
    folder: VmFolder,
    tools: Root,
    { qemu, hasTpm, onTerminal }: Commands,
    onEnd: (why: string) => void,
  ): Promise<Processes> {
    for (const socket of SOCKETS) await rm(folder.file(socket), { force: true });
    const processes = new Processes(name, folder, tools, onEnd);
    try {
      if (hasTpm) processes.#tpm = await processes.#start(TPM, 'tpm.sock', 'ignore');
      const child = await processes.#start(qemu, 'qmp.sock', onTerminal ? 'inherit' : 'ignore');
      child.once('close', (code, signal) => processes.#ended(code, signal));
    } catch (error) {
      await processes.kill();
      throw error;
    }
    return processes;
  }

  /** Ends them at once, and waits until they are gone. */
  async kill(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await this.gone();
  }

  /** What they had to complain of. */
  async words(): Promise<string> {
    return (await readFile(this.folder.file('processes.log'), 'utf8').catch(() => '')).trim();
  }

  /** Waits until they are gone, for whatever reason they go. */
  async gone(): Promise<void> {
    await until(`the processes of ${this.name} to end`, END_MS, async () => this.#running.size === 0 || undefined);
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    // It has stored everything, and would wait for another machine.
    this.#tpm?.kill('SIGTERM');
    this.onEnd(code === 0 ? SWITCHED_ITSELF_OFF : `QEMU ended with ${signal ?? `exit code ${code}`}, see processes.log`);
  }

  async #start(command: readonly string[], socket: string, terminal: 'ignore' | 'inherit'): Promise<ChildProcess> {
    const [file, ...args] = inRoot(this.tools, this.folder.path, command);
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], { stdio: [terminal, terminal, 'pipe'] });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    child.stderr?.on('data', (data: Buffer) => void appendFile(this.folder.file('processes.log'), data));
    await until(`${socket} of ${this.name}`, START_MS, async () => {
      if (!this.#running.has(child)) throw new Error(`Cannot switch ${this.name} on: a process of it ended at once: ${await this.words()}`);
      return existsSync(this.folder.file(socket)) || undefined;
    });
    return child;
  }
}
