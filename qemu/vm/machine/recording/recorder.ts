// SPDX-License-Identifier: Apache-2.0
import type { Architecture } from '../../architecture.ts';
import { namedPartition } from '../../image/layout.ts';
import type { PowerSupply } from '../power-supply.ts';
import type { VmFolder } from '../vm-folder.ts';
import { keepRecording, replayRecording, type Snapshot, takeSnapshot } from './recording.ts';
import { firstWriteIn, type Place, type Replay } from './write-log.ts';

/** Records a machine that runs, and replays the recording of one up to a snapshot. */
export class Recorder {
  constructor(
    private readonly machine: string,
    private readonly folder: VmFolder,
    private readonly supply: PowerSupply,
    private readonly architecture: Architecture,
  ) {}

  /** Records this moment of the machine, for replay(). */
  takeSnapshot(): Promise<Snapshot> {
    return takeSnapshot(this.folder);
  }

  /** How long the log of its disk was when a partition was first written to, since the machine was switched on. */
  async firstWriteTo(partition: string): Promise<number> {
    const firstBytes = await firstWriteIn(this.folder.writeLog, await namedPartition(partition, this.architecture));
    if (firstBytes === undefined) throw new Error(`Cannot tell when ${partition} of ${this.machine} was first written to: it never was`);
    return firstBytes;
  }

  /**
   * Switches the machine off, and leaves what was recorded since it was switched on in a folder that outlives it. Returns what a power
   * cut would have lost at each place of the log of its disk.
   */
  async keepRecording(target: string): Promise<readonly Place[]> {
    await this.supply.switchOff('it was recorded');
    return keepRecording(this.folder, target);
  }

  /**
   * Cuts the power, and leaves the machine as if it were the recorded one, and that had happened at the snapshot. Returns how many
   * writes of its disk were durable then, and how many are lost.
   */
  async replay(recordingIn: string, snapshot: Snapshot): Promise<Replay> {
    await this.supply.switchOff('its power was cut');
    return replayRecording(this.folder, recordingIn, snapshot);
  }
}
