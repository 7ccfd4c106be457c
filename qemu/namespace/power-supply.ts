// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { until } from '../host/deadline.ts';
import type { Root } from '../root/prepare-root.ts';
import { type Bootname, chooseSlot } from './boot-loader.ts';
import { formatState, readState, writeState } from './boot-loader-state.ts';
import { measureBoot } from './firmware.ts';
import type { NodeFolder } from './node-folder.ts';
import { consoleTail, type PoweredNode, powerOn } from './power.ts';
import { removeControlGroup } from './sweep.ts';
import { switchTpmOn } from './tpm.ts';

export interface RunningBoot extends PoweredNode {
  /** Counted from 1. */
  readonly number: number;
  readonly bootId: string;
  readonly bootname: Bootname;
}

const OFF_MS = 60_000;

/** The power supply and the firmware of a node: boots what the boot loader chooses, and again whenever PID 1 asks for it. */
export class PowerSupply {
  #boot: RunningBoot | undefined;
  #boots = 0;
  #running: Promise<void> | undefined;
  #whyOff = 'it was never switched on';

  constructor(
    private readonly name: string,
    private readonly folder: NodeFolder,
    private readonly root: Root,
  ) {}

  /** The boot under way; none while the node is off, or between two boots. */
  get boot(): RunningBoot | undefined {
    return this.#boot;
  }

  get bootCount(): number {
    return this.#boots;
  }

  /** Why it is off; undefined while it is on. */
  get whyOff(): string | undefined {
    return this.#running ? undefined : this.#whyOff;
  }

  async switchOn(): Promise<void> {
    if (this.#running) throw new Error(`Cannot switch ${this.name} on: it is on`);
    const first = await this.#bootNext();
    this.#running = this.#keepBooting(first).then((why) => {
      this.#whyOff = why;
      this.#running = undefined;
    });
  }

  /** Cuts the power: PID 1 is killed, and with it everything in the node. Returns when nothing of it runs any more. */
  async switchOff(): Promise<void> {
    await until(`${this.name} to be off`, OFF_MS, async () => {
      // Between two boots there is nothing to kill yet; the next one is caught on the next round.
      if (this.#boot) kill(this.#boot.pid);
      return this.#running ? undefined : true;
    });
  }

  /** Returns why it ended. */
  async #keepBooting(first: RunningBoot): Promise<string> {
    try {
      let boot = first;
      for (;;) {
        const end = await boot.ended;
        if (end === 'broken') return `PID 1 of boot ${boot.number} ended by itself; the console says\n${await consoleTail(this.folder)}`;
        if (end !== 'reboot') return end === 'killed' ? 'its power was cut' : 'it switched itself off';
        boot = await this.#bootNext();
      }
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #bootNext(): Promise<RunningBoot> {
    const choice = chooseSlot(await readState(this.folder.bootLoaderState));
    if (!choice) throw new Error(`Cannot boot ${this.name}: no slot has a try left, and none was ever good`);
    await writeState(this.folder.bootLoaderState, choice.next);
    this.#boots += 1;
    const [number, bootId, bootname] = [this.#boots, randomUUID(), choice.bootname];
    const state = formatState(choice.next).trimEnd().replaceAll('\n', ', ');
    await appendFile(this.folder.console, `── boot ${number}: slot ${bootname}, boot id ${bootId}; ${state}\n`);
    const switchTpmOff = await switchTpmOn(this.root, this.folder.tpm);
    try {
      await measureBoot(this.root, this.folder, bootname);
      const powered = await powerOn(this.folder, bootname, bootId);
      const ended = powered.ended.then(async (end) => {
        this.#boot = undefined;
        await switchTpmOff();
        await removeControlGroup(this.folder.controlGroup);
        return end;
      });
      this.#boot = { number, bootId, bootname, pid: powered.pid, ended };
      return this.#boot;
    } catch (error) {
      await switchTpmOff();
      throw error;
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself a moment ago.
  }
}
