// SPDX-License-Identifier: Apache-2.0
import { appendFile, writeFile } from 'node:fs/promises';
import type { ProvisionedFile } from '../../driver.ts';
import type { Boot } from '../../machine.ts';
import { WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import type { Architecture } from '../architecture.ts';
import { Processes } from './processes.ts';
import { type Display, type Forwarded, qemuCommand } from './qemu-command.ts';
import { Qmp } from './qmp.ts';
import { AWAITS_MEMORY, loadMemory, saveMemory } from './suspended/memory.ts';
import { forgetSuspended, rememberSuspended, suspendedBoot } from './suspended/suspended-state.ts';
import { Control } from './tester/control.ts';
import { credentialOptions } from './tester/credentials.ts';
import type { VmFolder } from './vm-folder.ts';

export interface PowerOptions {
  readonly architecture: Architecture;
  readonly forwarded: Forwarded;
  readonly display: Display;
  readonly onTerminal: boolean;
  readonly files: readonly ProvisionedFile[];
  readonly provisionsAgain: boolean;
  /** A file of the folder that is in the machine as a USB stick from the beginning. */
  readonly medium?: string | undefined;
}

interface Running {
  readonly processes: Processes;
  readonly qmp: Qmp;
  readonly control: Control;
}

/** Starts and ends the processes of a virtual machine, and knows which boot it is in. */
export class PowerSupply {
  #running: Running | undefined;
  #whyOff: string | undefined = 'it was never switched on';
  #boots = 0;
  #poweredAtMs = 0;
  #boot: Boot | undefined;
  #reached: Boot | undefined;

  constructor(
    private readonly name: string,
    private readonly folder: VmFolder,
    private readonly tools: Root,
    private readonly options: PowerOptions,
  ) {}

  /** How often the firmware began. */
  get bootCount(): number {
    return this.#boots;
  }

  /** How long ago the firmware began. */
  get poweredMs(): number {
    return performance.now() - this.#poweredAtMs;
  }

  /** The boot that has reached multi-user.target; none before, and none once it goes down. */
  get reached(): Boot | undefined {
    return this.#reached === this.#boot ? this.#boot : undefined;
  }

  /** Why it is off; undefined while it is on. */
  get whyOff(): string | undefined {
    return this.#whyOff;
  }

  control(): Control {
    if (!this.#running || !this.#boot) throw new Error(`Cannot reach ${this.name}: ${this.#whyOff ?? 'it is between two boots'}`);
    return this.#running.control;
  }

  /** Starts it, or resumes it where suspend() left it. Returns whether it was suspended. */
  async switchOn(): Promise<boolean> {
    if (this.#running) throw new Error(`Cannot switch ${this.name} on: it is on`);
    await writeFile(this.folder.writeLog, '');
    await this.#powerOn();
    const suspended = await suspendedBoot(this.folder);
    const { qmp } = await this.#run(suspended !== undefined);
    if (!suspended) return false;
    await loadMemory(this.name, qmp);
    await forgetSuspended(this.folder);
    // None is suspended before.
    this.#boot = { ...suspended, number: this.#boots };
    this.#reached = this.#boot;
    return true;
  }

  /** Starts its processes, and listens to them. */
  async #run(isSuspended: boolean): Promise<Running> {
    const { architecture, forwarded, display, onTerminal, files, provisionsAgain, medium } = this.options;
    const terminal = onTerminal ? 'ttyS0' : display === 'none' ? undefined : 'tty1';
    const credentials = await credentialOptions(this.folder, { hostname: this.name, files, provisionsAgain, terminal });
    const options = qemuCommand({ architecture, forwarded, display, onTerminal, credentials, medium });
    const commands = {
      qemu: [...options, ...(isSuspended ? AWAITS_MEMORY : [])],
      hasTpm: architecture.tpm !== undefined,
      onTerminal,
    };
    const processes = await Processes.start(this.name, this.folder, this.tools, commands, (why) => this.#end(why));
    try {
      const control = await Control.connect(this.folder.file('control.sock'), {
        onGreeting: (greeting) => {
          this.#boot = { number: this.#boots, ...greeting };
        },
        onReached: () => {
          this.#reached = this.#boot;
        },
      });
      const qmp = await Qmp.connect(this.folder.file('qmp.sock'), (event) => void this.#happens(event));
      this.#whyOff = undefined;
      this.#running = { processes, qmp, control };
      return this.#running;
    } catch (error) {
      await processes.kill();
      // QEMU opens its sockets before its screen, whose port may be another's.
      throw new Error(`Cannot switch ${this.name} on: ${(error as Error).message}: ${await processes.words()}`, { cause: error });
    }
  }

  async #happens(event: string): Promise<void> {
    if (event === 'WATCHDOG') await appendFile(this.folder.console, '\n── the watchdog bites\n');
    if (event === 'RESET') await this.#powerOn();
  }

  /** Stops it in the middle of what it does, and leaves its memory in the folder: switchOn() goes on from there. */
  async suspend(): Promise<void> {
    const [running, boot] = [this.#running, this.reached];
    if (!running || !boot) throw new Error(`Cannot suspend ${this.name}: ${this.#whyOff ?? 'it has not reached multi-user.target'}`);
    await saveMemory(this.name, running.qmp);
    await running.processes.gone();
    await rememberSuspended(this.folder, boot);
  }

  /** Plugs in a USB stick whose content is this file of the folder. */
  async plugIn(stick: string): Promise<void> {
    const { qmp } = this.#running ?? {};
    if (!qmp) throw new Error(`Cannot plug a stick into ${this.name}: it is off`);
    await qmp.execute('blockdev-add', { driver: 'file', 'node-name': stick, filename: `${WORK}/${stick}`, 'read-only': true });
    await qmp.execute('device_add', { driver: 'usb-storage', id: `usb-${stick}`, drive: stick, removable: true });
  }

  /** Ends the machine's processes at once, as when the plug is pulled. */
  async switchOff(why: string): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#end(why);
    await running.processes.kill();
  }

  async #powerOn(): Promise<void> {
    this.#boots += 1;
    this.#poweredAtMs = performance.now();
    this.#boot = undefined;
    this.#running?.control.forget();
    await appendFile(this.folder.console, `\n── boot ${this.#boots}\n`);
  }

  #end(why: string): void {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    this.#boot = undefined;
    this.#whyOff = why;
    running.qmp.close();
    running.control.close();
  }
}
