// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../../qemu/host/command.ts';
import { until } from '../../../qemu/host/deadline.ts';
import { TpmUser } from './tpm-user.ts';

const START_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 20_000;

/** A real swtpm of its own, spoken to by Debian's tpm2-tools as the agent does. Ends with end(). */
export class SoftwareTpm extends TpmUser {
  private constructor(
    private readonly folder: string,
    private daemon: ChildProcess,
  ) {
    super();
  }

  static async start(): Promise<SoftwareTpm> {
    const folder = await mkdtemp(join(tmpdir(), 'lamadist-tpm-'));
    await mkdir(join(folder, 'state'));
    return new SoftwareTpm(folder, await SoftwareTpm.#powerOn(folder));
  }

  static async #powerOn(folder: string): Promise<ChildProcess> {
    const socket = join(folder, 'tpm.sock');
    for (const file of [socket, `${socket}.ctrl`]) await rm(file, { force: true });
    const options = [
      ['--tpmstate', `dir=${join(folder, 'state')}`],
      ['--server', `type=unixio,path=${socket}`],
      ['--ctrl', `type=unixio,path=${socket}.ctrl`],
      ['--flags', 'startup-clear'],
    ];
    const daemon = spawn('swtpm', ['socket', '--tpm2', ...options.flat()], { stdio: 'ignore' });
    await until('swtpm', START_TIMEOUT_MS, async () => (existsSync(socket) && existsSync(`${socket}.ctrl`)) || undefined);
    return daemon;
  }

  /** Resets it as a power cut does, without TPM2_Shutdown. */
  async cutPower(): Promise<void> {
    const ended = new Promise((resolve) => this.daemon.once('close', resolve));
    this.daemon.kill('SIGKILL');
    await ended;
    this.daemon = await SoftwareTpm.#powerOn(this.folder);
  }

  /** Where it is, in the words of TPM2TOOLS_TCTI. */
  get tcti(): string {
    return `swtpm:path=${join(this.folder, 'tpm.sock')}`;
  }

  async end(): Promise<void> {
    this.daemon.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  async tool(name: string, ...args: string[]): Promise<string> {
    const paths = args.map((arg) => arg.replace(/^(session:)?@/, (_, prefix = '') => `${prefix}${this.folder}/`));
    return run([`tpm2_${name}`, ...paths], {
      timeoutMs: COMMAND_TIMEOUT_MS,
      env: { TPM2TOOLS_TCTI: this.tcti },
    });
  }

  async file(name: string): Promise<Buffer> {
    return readFile(join(this.folder, name));
  }

  async write(name: string, bytes: Buffer): Promise<void> {
    await writeFile(join(this.folder, name), bytes);
  }
}
