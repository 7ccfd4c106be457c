// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { VirtualNode } from '../../../qemu/driver.ts';
import { type Homelab, LAMACTL_LIMIT, type NodeOptions } from '../../../qemu/homelab.ts';
import { BOOT, DRIVER, eventually, QUICK } from './kind-of-node.ts';
import { nothingWasDenied, withHomelab } from './scenario.ts';

const LAMACTL = path.resolve(import.meta.dirname, '../../../dist/lamactl.js');

/** An administrator with an authority of their own, made by lamactl itself. */
export class Administrator {
  constructor(private readonly folder: string) {}

  get contextFile(): string {
    return path.join(this.folder, 'config.yaml');
  }

  get passphraseFile(): string {
    return path.join(this.folder, 'passphrase');
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  static async create(folder: string): Promise<Administrator> {
    await mkdir(folder, { recursive: true });
    const administrator = new Administrator(folder);
    await writeFile(administrator.passphraseFile, 'correct horse battery\n', { mode: 0o600 });
    await administrator.succeeds('pki', 'init', '--admin', 'alice', ...administrator.passphrase);
    return administrator;
  }

  get passphrase(): readonly string[] {
    return ['--passphrase-file', this.passphraseFile];
  }

  /** Runs lamactl. A command that fails is a result. */
  lamactl(...args: readonly string[]) {
    const env = { ...process.env, LAMACTL_CONFIG: this.contextFile };
    return execa('node', [LAMACTL, ...args], { reject: false, all: true, env, input: '', ...LAMACTL_LIMIT });
  }

  /** Runs lamactl, which may end in one of these ways; returns what it printed as JSON. */
  async answers<T>(args: readonly string[], exitCodes: readonly number[] = [0]): Promise<T> {
    const { exitCode, stdout, all } = await this.lamactl(...args, '-o', 'json');
    if (!exitCodes.includes(exitCode ?? -1)) throw new Error(`lamactl ${args.join(' ')} ended with ${exitCode}: ${all}`);
    return JSON.parse(stdout) as T;
  }

  async succeeds(...args: readonly string[]): Promise<void> {
    const { exitCode, all } = await this.lamactl(...args);
    if (exitCode !== 0) throw new Error(`lamactl ${args.join(' ')} ended with ${exitCode}: ${all}`);
  }

  enroll({ name, host, port }: VirtualNode, fingerprint: string, ...more: readonly string[]) {
    return this.lamactl('enroll', `${host}:${port}`, '--name', name, '--fingerprint', fingerprint, ...this.passphrase, ...more);
  }

  contexts(): Promise<string> {
    return readFile(this.contextFile, 'utf8');
  }
}

export interface Joining {
  readonly homelab: Homelab;
  readonly administrator: Administrator;
}

/** Runs a test with an administrator who has no node yet, and takes everything away afterwards. */
export function whileJoining(test: (joining: Joining) => Promise<void>): Promise<void> {
  return withHomelab(DRIVER, async (homelab) => {
    await test({ homelab, administrator: await Administrator.create(path.join(homelab.folder, 'alice')) });
    await nothingWasDenied(homelab);
  });
}

/** Switches on a node that knows nobody, and waits until it says so. */
export async function newNode(homelab: Homelab, name: string, options: NodeOptions = {}): Promise<VirtualNode> {
  const node = await homelab.addNode(name, await homelab.image('1'), { unclaimed: true, ...options });
  await node.start();
  await node.waitForBoot(BOOT);
  await fingerprintOf(node);
  return node;
}

/** What stands on the node's console. */
export async function fingerprintOf(node: VirtualNode): Promise<string> {
  return eventually(`the fingerprint on the console of ${node.name}`, QUICK.timeoutMs, async () => {
    const { stdout } = await node.shell('cat /run/issue.d/lamadist.issue', QUICK);
    return /sha256:(?:[0-9a-f]{4} ){15}[0-9a-f]{4}/.exec(stdout)?.[0];
  });
}
