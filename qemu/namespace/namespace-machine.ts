// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chmod, copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { NodeIdentity, ProvisionedFile, VirtualNode } from '../driver.ts';
import { type ClaimedAddress, claimAddress } from '../host/address.ts';
import { until } from '../host/deadline.ts';
import { requireRoot } from '../host/require-root.ts';
import type { Say } from '../host/say.ts';
import type { Image } from '../image/image-recipe.ts';
import type { Boot, BootLoaderCommand, FileOptions, ShellOptions, ShellResult } from '../machine.ts';
import { type NodeFiles, readNodeFile, writeNodeFile } from '../node-files.ts';
import { prepareRoot } from '../root/prepare-root.ts';
import { type BootLoaderState, factoryState } from './boot-loader.ts';
import { readState, writeState } from './boot-loader-state.ts';
import { shellInside } from './inside.ts';
import { NodeFolder } from './node-folder.ts';
import { freeze, keepAsIs } from './power-cut.ts';
import { PowerSupply, type RunningBoot } from './power-supply.ts';
import { provisionData } from './provision.ts';
import { sweep } from './sweep.ts';
import { NODE_TCTI } from './tpm.ts';

export interface NamespaceMachineOptions {
  readonly name: string;
  /** What the factory wrote into slot A. */
  readonly image: Image;
  /** What the node's /etc has that its image does not. */
  readonly provision?: (node: NodeIdentity) => Promise<readonly ProvisionedFile[]>;
  /** Tries of a slot that was made primary: 1, as with the EFI's BootNext, unless it says otherwise. */
  readonly maxTries?: number;
  /** 192 MiB unless it says otherwise. */
  readonly slotBytes?: number;
  /** More words on the kernel's command line. */
  readonly commandLine?: string;
  readonly say: Say;
}

const DEFAULT_SLOT_BYTES = 192 << 20;
const QUICK_MS = 10_000;
const PROBE_MS = 2000;
const JOURNAL_MS = 60_000;

/**
 * A node without a virtual machine: systemd as PID 1 in namespaces of its own on the host's kernel, with real slots, a real
 * data file system and a TPM. Needs root.
 */
export class NamespaceMachine implements VirtualNode {
  readonly tcti = NODE_TCTI;
  readonly port = 7443;
  /** The last boot that was seen at multi-user.target. */
  #reached: Boot | undefined;

  private constructor(
    readonly name: string,
    private readonly folder: NodeFolder,
    private readonly address: ClaimedAddress,
    private readonly supply: PowerSupply,
  ) {}

  /** Builds a new node, switched off. */
  static async create(options: NamespaceMachineOptions): Promise<NamespaceMachine> {
    requireRoot('make a node in namespaces');
    await sweep(options.say);
    const root = await prepareRoot(options.say);
    const folder = await NodeFolder.create();
    const address = await claimAddress();
    const supply = new PowerSupply(options.name, folder, root);
    const machine = new NamespaceMachine(options.name, folder, address, supply);
    try {
      await folder.writeSlots(options.image.path, options.slotBytes ?? DEFAULT_SLOT_BYTES);
      await provisionData(folder.data, options.name, (await options.provision?.(machine)) ?? []);
      if (options.commandLine !== undefined) await writeFile(path.join(folder.path, 'cmdline'), options.commandLine);
      await writeState(folder.bootLoaderState, factoryState(options.maxTries ?? 1));
    } catch (error) {
      await machine.stop();
      throw error;
    }
    return machine;
  }

  get host(): string {
    return this.address.host;
  }

  get listen(): string {
    return this.address.host;
  }

  get metricsListen(): string {
    return this.address.host;
  }

  get bootCount(): number {
    return this.supply.bootCount;
  }

  bootLoaderState(): Promise<BootLoaderState> {
    return readState(this.folder.bootLoaderState);
  }

  start(): Promise<void> {
    return this.supply.switchOn();
  }

  async waitForBoot(options: { readonly timeoutMs: number; readonly after?: Boot }): Promise<Boot> {
    const least = (options.after?.number ?? 0) + 1;
    return until(`boot ${least} of ${this.name}`, options.timeoutMs, async () => {
      const { boot, whyOff } = this.supply;
      if (whyOff !== undefined) throw new Error(`Cannot wait for boot ${least} of ${this.name}, it is off: ${whyOff}`);
      if (!boot || boot.number < least) return undefined;
      if (this.#reached?.number !== boot.number) this.#reached = await reached(boot);
      return this.#reached;
    });
  }

  async waitForPowerOff(options: { readonly timeoutMs: number }): Promise<void> {
    await until(`${this.name} to switch itself off`, options.timeoutMs, async () => this.supply.whyOff);
  }

  async shell(command: string, options: ShellOptions): Promise<ShellResult> {
    return shellInside(this.#running().pid, command, options);
  }

  writeFile(target: string, content: string | Uint8Array, options: FileOptions = {}): Promise<void> {
    return writeNodeFile(this.#files, target, content, options);
  }

  readFile(target: string): Promise<string> {
    return readNodeFile(this.#files, target);
  }

  get #files(): NodeFiles {
    return { name: this.name, timeoutMs: QUICK_MS, shell: (command, options) => this.shell(command, options) };
  }

  async deliver(hostPath: string): Promise<string> {
    const delivered = path.join('/run/media', path.basename(hostPath));
    const target = `/proc/${this.#running().pid}/root${delivered}`;
    await copyFile(hostPath, target);
    await chmod(target, 0o644);
    return delivered;
  }

  async cutPower(): Promise<void> {
    const boot = this.#running();
    await freeze(boot.pid);
    const otherSlot = this.folder.slot(boot.bootname === 'A' ? 'B' : 'A');
    const asItIs = await keepAsIs(otherSlot);
    await this.supply.switchOff();
    await rename(asItIs, otherSlot);
  }

  async consoleLog(): Promise<string> {
    const lines = (await readFile(this.folder.console, 'utf8')).split(/\r?\n/);
    return lines.filter((line) => !/^Script (started|done) on /.test(line)).join('\n');
  }

  get logFiles(): Readonly<Record<string, string>> {
    return { console: this.folder.console };
  }

  async logs(): Promise<Readonly<Record<string, string>>> {
    // One that is off has no journal to show: its console says so.
    const journal = await this.shell('journalctl --no-pager --output=short-iso --merge', { timeoutMs: JOURNAL_MS }).catch(
      (error: Error) => ({ stdout: `${error.message}\n` }),
    );
    return { console: await this.consoleLog(), journal: journal.stdout };
  }

  async hold(command: BootLoaderCommand): Promise<void> {
    await writeFile(this.folder.hold(command), '');
  }

  async release(command: BootLoaderCommand): Promise<void> {
    await rm(this.folder.hold(command), { force: true });
    await rm(this.folder.held(command), { force: true });
  }

  async waitUntilHeld(command: BootLoaderCommand, options: { readonly timeoutMs: number }): Promise<void> {
    await until(
      `RAUC to ask the boot loader for ${command}`,
      options.timeoutMs,
      async () => existsSync(this.folder.held(command)) || undefined,
    );
  }

  async stop(): Promise<void> {
    await this.supply.switchOff();
    await this.address.release();
    await this.folder.remove();
  }

  #running(): RunningBoot {
    const { boot, whyOff } = this.supply;
    if (!boot) throw new Error(`Cannot reach ${this.name}: ${whyOff ?? 'it is between two boots'}`);
    return boot;
  }
}

/** The boot, once it has reached multi-user.target. */
async function reached(boot: RunningBoot): Promise<Boot | undefined> {
  // By what it says: before the node has its own /proc, systemctl takes it for a chroot, asks nobody, and succeeds without a word.
  const ready = '[ "$(systemctl is-active multi-user.target)" = active ] && . /etc/os-release && echo "$IMAGE_VERSION"';
  // The node may go down in the middle of the question; then systemd answers nobody, and waits for whoever asks.
  const answer = await shellInside(boot.pid, ready, { timeoutMs: PROBE_MS }).catch(() => undefined);
  if (answer?.exitCode !== 0) return undefined;
  return { number: boot.number, bootId: boot.bootId, bootname: boot.bootname, imageVersion: answer.stdout.trim() };
}
