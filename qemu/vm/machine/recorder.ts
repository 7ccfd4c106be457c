// SPDX-License-Identifier: Apache-2.0
import type { Architecture } from '../architecture.ts';
import { namedPartition } from '../image/layout.ts';
import type { PowerSupply } from './power-supply.ts';
import type { Photograph, VmFolder } from './vm-folder.ts';
import { firstWriteIn, type Place, type Replay } from './write-log.ts';

/** Photographs a machine that runs, and has a machine be again as one was in a photograph. */
export class Recorder {
  constructor(
    private readonly machine: string,
    private readonly folder: VmFolder,
    private readonly supply: PowerSupply,
    private readonly architecture: Architecture,
  ) {}

  /** Remembers this moment of the machine, for goBackTo(). */
  photograph(): Promise<Photograph> {
    return this.folder.photograph();
  }

  /** How long the log of its disk was when a partition was first written to, since the machine was switched on. */
  async firstWriteTo(partition: string): Promise<number> {
    const firstBytes = await firstWriteIn(this.folder.writeLog, await namedPartition(partition, this.architecture));
    if (firstBytes === undefined) throw new Error(`Cannot tell when ${partition} of ${this.machine} was first written to: it never was`);
    return firstBytes;
  }

  /**
   * Switches the machine off, and leaves what was photographed since it was switched on in a folder that outlives it. Returns what a
   * power cut would have lost at each place of the log of its disk.
   */
  async keepPhotographs(target: string): Promise<readonly Place[]> {
    await this.supply.switchOff('it was photographed');
    return this.folder.keepPhotographs(target);
  }

  /**
   * Cuts the power, and leaves the machine as if it were the photographed one, and that had happened at the photograph. Returns how
   * many writes of its disk were durable then, and how many are lost.
   */
  async goBackTo(photographsIn: string, photograph: Photograph): Promise<Replay> {
    await this.supply.switchOff('its power was cut');
    return this.folder.goBackTo(photographsIn, photograph);
  }
}
