// SPDX-License-Identifier: Apache-2.0
import { rename } from 'node:fs/promises';
import type { NodeIdentity, ProvisionedFile, VirtualNode } from '../../driver.ts';
import { type ClaimedAddress, claimAddress } from '../../host/address.ts';
import { run } from '../../host/command.ts';
import { until } from '../../host/deadline.ts';
import { requireRoot } from '../../host/require-root.ts';
import type { Say } from '../../host/say.ts';
import type { Image } from '../../image/image-recipe.ts';
import type { Boot, BootLoaderCommand, FileOptions, ShellOptions, ShellResult } from '../../machine.ts';
import { type NodeFiles, readNodeFile, writeNodeFile } from '../../node-files.ts';
import type { Root } from '../../root/prepare-root.ts';
import { type Architecture, X86_64 } from '../architecture.ts';
import { vmRoots } from '../roots.ts';
import { ADDON } from './disk/addon.ts';
import { DiskAtRest } from './disk/disk-at-rest.ts';
import { makeFresh } from './factory.ts';
import { PowerSupply } from './power-supply.ts';
import { SWITCHED_ITSELF_OFF } from './processes.ts';
import type { Display } from './qemu-command.ts';
import { Recorder } from './recording/recorder.ts';
import { replayToLastFlush } from './recording/write-log.ts';
import { makeStick } from './stick.ts';
import { becomeAnother } from './suspended/become-another.ts';
import { copySuspended } from './suspended/suspended-state.ts';
import { Holds } from './tester/holds.ts';
import { VmFolder } from './vm-folder.ts';

export interface VirtualMachineOptions {
  readonly name: string;
  /** What the factory wrote into slot A. */
  readonly image: Image;
  /** A PC unless it says otherwise. */
  readonly architecture?: Architecture;
  /** Words of the node's own on its kernel's command line. */
  readonly commandLine?: string;
  /** What the node's /etc has that its image does not. */
  readonly provision?: (node: NodeIdentity) => Promise<readonly ProvisionedFile[]>;
  /** none unless it says otherwise. */
  readonly display?: Display;
  /** Makes this process's terminal the serial console. */
  readonly onTerminal?: boolean;
  /** Whether provisioned files take the place of those that the disk has, as when it was another machine's; no unless it says so. */
  readonly provisionsAgain?: boolean;
  /** Whether the firmware refuses what nobody signed; yes unless it says otherwise. */
  readonly secureBoot?: boolean;
  /** The folder of a suspended machine: this one resumes from there, with provisioned files of its own. */
  readonly resumesFrom?: string;
  readonly say: Say;
}

const QUICK_MS = 30_000;
const COPY_MS = 600_000;

/** A node in a virtual machine: real firmware, a real kernel, a real disk. */
export class VirtualMachine implements VirtualNode {
  readonly #holds = new Holds(this);
  #supply: PowerSupply | undefined;
  #provisioned: readonly ProvisionedFile[] = [];

  private constructor(
    readonly name: string,
    private readonly tools: Root,
    private readonly folder: VmFolder,
    private readonly address: ClaimedAddress,
    private readonly architecture: Architecture,
  ) {}

  /** Makes a new machine, switched off. */
  static async create(options: VirtualMachineOptions): Promise<VirtualMachine> {
    requireRoot('make a virtual machine');
    const { architecture = X86_64 } = options;
    const { tools, machine: runner } = await vmRoots(options.say, architecture);
    const folder = await VmFolder.create();
    const machine = new VirtualMachine(options.name, tools, folder, await claimAddress(), architecture);
    try {
      const { medium } = options.resumesFrom
        ? await copySuspended(options.resumesFrom, folder.path).then(() => ({ medium: undefined }))
        : await makeFresh({ architecture, tools, machine: runner }, folder, options.image.path, options.secureBoot ?? true);
      if (options.commandLine !== undefined)
        await machine.diskAtRest.putAddon({ commandLine: options.commandLine, imageFolder: options.image.path });
      const { display = 'none', onTerminal = false, provisionsAgain = false } = options;
      machine.#provisioned = (await options.provision?.(machine)) ?? [];
      const forwarded = { host: machine.host, port: machine.port };
      const files = machine.#provisioned;
      const power = { architecture, forwarded, display, onTerminal, files, provisionsAgain, medium };
      machine.#supply = new PowerSupply(machine.name, folder, runner, power);
    } catch (error) {
      await machine.stop();
      throw error;
    }
    return machine;
  }

  get host(): string {
    return this.address.host;
  }

  /** Where the agent listens inside: QEMU forwards what is asked of the host's address to the machine's only one. */
  readonly listen = '0.0.0.0';
  readonly port = 7443;
  readonly metricsListen = '127.0.0.1';
  readonly tcti = 'device:/dev/tpmrm0';

  get bootCount(): number {
    return this.supply.bootCount;
  }

  /** How long ago its power button was pressed, or it was reset. */
  get poweredMs(): number {
    return this.supply.poweredMs;
  }

  async start(): Promise<void> {
    await run(['cp', '--sparse=always', this.folder.disk, this.folder.diskBefore], { timeoutMs: COPY_MS });
    if (await this.supply.switchOn()) await becomeAnother(this, this.#provisioned);
  }

  /** Suspends it in the middle of what it does; start() resumes there, and so do machines that are made from the folder. */
  async suspend(target: string): Promise<void> {
    await this.supply.suspend();
    await copySuspended(this.folder.path, target);
  }

  async waitForBoot(options: { readonly timeoutMs: number; readonly after?: Boot }): Promise<Boot> {
    const least = (options.after?.number ?? 0) + 1;
    return until(`boot ${least} of ${this.name}`, options.timeoutMs, async () => {
      const { reached, whyOff } = this.supply;
      if (whyOff !== undefined) throw new Error(`Cannot wait for boot ${least} of ${this.name}, it is off: ${whyOff}`);
      return reached && reached.number >= least ? reached : undefined;
    });
  }

  async waitForPowerOff(options: { readonly timeoutMs: number }): Promise<void> {
    const why = await until(`${this.name} to switch itself off`, options.timeoutMs, async () => this.supply.whyOff);
    if (why !== SWITCHED_ITSELF_OFF) throw new Error(`Cannot wait for ${this.name} to switch itself off: ${why}`);
  }

  async shell(command: string, options: ShellOptions): Promise<ShellResult> {
    return this.supply.control().shell(command, options);
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
    const name = await this.folder.share(hostPath);
    // To SELinux the same as a stick.
    const options = 'trans=virtio,ro,msize=512000,context=system_u:object_r:dosfs_t:s0';
    const mount = `mkdir -p /run/media && { mountpoint -q /run/media || mount -t 9p -o ${options} media /run/media; }`;
    const { exitCode, stderr } = await this.shell(mount, { timeoutMs: QUICK_MS });
    if (exitCode !== 0) throw new Error(`Cannot bring ${name} into ${this.name}: ${stderr.trim()}`);
    return `/run/media/${name}`;
  }

  async cutPower(): Promise<void> {
    await this.supply.switchOff('its power was cut');
    await rename(this.folder.diskBefore, this.folder.disk);
    await replayToLastFlush(this.folder.writeLog, this.folder.disk);
  }

  /** Of what it has done since it was switched on. */
  get recorder(): Recorder {
    return new Recorder(this.name, this.folder, this.supply, this.architecture);
  }

  hold(command: BootLoaderCommand): Promise<void> {
    return this.#holds.hold(command);
  }

  release(command: BootLoaderCommand): Promise<void> {
    return this.#holds.release(command);
  }

  waitUntilHeld(command: BootLoaderCommand, options: { readonly timeoutMs: number }): Promise<void> {
    return this.#holds.waitUntilHeld(command, options);
  }

  /** Plugs in a USB stick with a copy of this file. */
  async plugInStickWith(hostPath: string): Promise<void> {
    await this.supply.plugIn(await makeStick(this.tools, this.folder, hostPath));
  }

  /** The disk of the machine, which is off. */
  get diskAtRest(): DiskAtRest {
    if (this.#supply && this.#supply.whyOff === undefined) throw new Error(`Cannot take the disk of ${this.name}: it is on`);
    return new DiskAtRest(this.tools, this.folder, this.architecture);
  }

  /** The node's own addon, on this machine; there is one when it has a command line of its own. */
  get addon(): string {
    return this.folder.file(ADDON);
  }

  async consoleLog(): Promise<string> {
    return (await this.folder.logs()).console;
  }

  get logFiles(): Readonly<Record<string, string>> {
    return this.folder.logFiles;
  }

  logs(): Promise<Readonly<Record<string, string>>> {
    return this.folder.logs();
  }

  async stop(): Promise<void> {
    try {
      await this.#supply?.switchOff('it was taken away');
    } finally {
      await this.address.release();
      await this.folder.remove();
    }
  }

  private get supply(): PowerSupply {
    if (!this.#supply) throw new Error(`Cannot use ${this.name}: it was never finished`);
    return this.#supply;
  }
}
