// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credential } from '../../../agent/lamactl/attest/tpm/make-credential.ts';
import { run } from '../../../qemu/command.ts';
import { until } from '../../../qemu/deadline.ts';

const START_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 20_000;

export type Algorithm = 'ecc' | 'rsa';

export interface Quote {
  readonly attest: Buffer;
  readonly signature: Buffer;
}

/** A real swtpm of its own, spoken to by Debian's tpm2-tools as the agent does. Ends with end(). */
export class SoftwareTpm {
  private constructor(
    private readonly folder: string,
    private daemon: ChildProcess,
  ) {}

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

  /** Runs one of tpm2-tools, in whose arguments "@name" is a file of this TPM's folder. */
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

  /** Without a resource manager, what is loaded stays loaded. */
  async flush(): Promise<void> {
    await this.tool('flushcontext', '--transient-object');
  }

  /** Makes an EK from its usual template; returns TPM2B_PUBLIC. */
  async createEk(algorithm: Algorithm): Promise<Buffer> {
    await this.tool('createek', '-c', '@ek.ctx', '-G', algorithm, '-u', '@ek.pub', '-f', 'tss');
    await this.flush();
    return this.file('ek.pub');
  }

  /** Makes an AK below the EK; returns TPM2B_PUBLIC. */
  async createAk(algorithm: Algorithm, name = 'ak'): Promise<Buffer> {
    const scheme = algorithm === 'ecc' ? 'ecdsa' : 'rsassa';
    const key = ['-G', algorithm, '-g', 'sha256', '-s', scheme, '-u', `@${name}.pub`, '-f', 'tss', '-n', `@${name}.name`];
    await this.tool('createak', '-C', '@ek.ctx', '-c', `@${name}.ctx`, ...key);
    await this.flush();
    return this.file(`${name}.pub`);
  }

  /** Makes a restricted signing key that is no child of the EK: a primary key of the owner. */
  async createOwnersKey(name: string): Promise<Buffer> {
    const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign';
    await this.tool('createprimary', '-C', 'o', '-G', 'ecc256:ecdsa-sha256:null', '-c', `@${name}.ctx`, '-a', attributes);
    await this.tool('readpublic', '-c', `@${name}.ctx`, '-f', 'tss', '-o', `@${name}.pub`);
    await this.flush();
    return this.file(`${name}.pub`);
  }

  /** What a node does with a credential; throws when the TPM refuses. */
  async activate({ idObject, encryptedSecret }: Credential, name = 'ak'): Promise<Buffer> {
    // The header that tpm2_activatecredential wants before the two structures.
    const blob = Buffer.concat([Buffer.from('badcc0de00000001', 'hex'), idObject, encryptedSecret]);
    await writeFile(join(this.folder, 'credential'), blob);
    await rm(join(this.folder, 'secret'), { force: true });
    try {
      await this.tool('startauthsession', '--policy-session', '-S', '@session.ctx');
      await this.tool('policysecret', '-S', '@session.ctx', '-c', 'e');
      const keys = ['-c', `@${name}.ctx`, '-C', '@ek.ctx', '-P', 'session:@session.ctx'];
      await this.tool('activatecredential', ...keys, '-i', '@credential', '-o', '@secret');
      return await this.file('secret');
    } finally {
      await this.tool('flushcontext', '@session.ctx');
      await this.flush();
    }
  }

  /** Extends a PCR in the banks, in order: "4:sha1=…,sha256=…". */
  async extend(specs: readonly string[]): Promise<void> {
    await this.tool('pcrextend', ...specs);
  }

  async quote(selection: string, qualifyingData: Buffer, name = 'ak'): Promise<Quote> {
    const out = ['-m', '@quote.attest', '-s', '@quote.signature', '-f', 'tss', '-g', 'sha256'];
    await this.tool('quote', '-c', `@${name}.ctx`, '-l', selection, '-q', qualifyingData.toString('hex'), ...out);
    await this.flush();
    return { attest: await this.file('quote.attest'), signature: await this.file('quote.signature') };
  }

  /** Something that the AK signs and that is no quote: TPM2_GetTime. */
  async signedTime(qualifyingData: Buffer): Promise<Quote> {
    const out = ['--attestation', '@time.attest', '-o', '@time.signature', '-f', 'tss', '-g', 'sha256'];
    await this.tool('gettime', '-c', '@ak.ctx', '-q', qualifyingData.toString('hex'), ...out);
    await this.flush();
    return { attest: await this.file('time.attest'), signature: await this.file('time.signature') };
  }

  /** The values of some PCRs, by their numbers. */
  async pcrs(bank: string, numbers: readonly number[]): Promise<Record<string, Buffer>> {
    await this.tool('pcrread', `${bank}:${numbers.join(',')}`, '-o', '@pcrs');
    const bytes = await this.file('pcrs');
    const size = bytes.length / numbers.length;
    return Object.fromEntries(numbers.map((number, index) => [String(number), bytes.subarray(index * size, (index + 1) * size)]));
  }
}
