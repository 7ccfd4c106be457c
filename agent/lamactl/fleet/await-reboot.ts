// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import type { Connect, Target } from '../node/node.ts';
import type { Device } from '../node/node-device.ts';
import type { Clock } from '../world.ts';

export interface AwaitRebootOptions {
  readonly connect: Connect;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly waitMs: number;
}

const PAUSE_MS = 2_000;

/** Asks a node until it answers from another boot than the given one. Throws a Failure when the wait is over. */
export async function awaitReboot(
  target: Target,
  bootId: string,
  { connect, clock, timeoutMs, waitMs }: AwaitRebootOptions,
): Promise<Device> {
  const endMs = clock.now() + waitMs;
  let state = 'it still runs the boot that was to end';
  while (clock.now() < endMs) {
    await clock.sleep(PAUSE_MS);
    const node = await connect(target, { timeoutMs });
    try {
      const device = await node.device();
      if (device.bootId !== bootId) return device;
      state = 'it still runs the boot that was to end';
    } catch (thrown) {
      state = Failure.from(thrown).message;
    } finally {
      node.close();
    }
  }
  throw new Failure('DEADLINE_EXCEEDED', `Cannot confirm the reboot of ${target.name}: ${state}`, { bootId });
}
