// SPDX-License-Identifier: Apache-2.0
import os from 'node:os';
import type { Ask } from './units.ts';

const MANAGER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;
const TIMEOUT_MS = 5_000;

/**
 * When this boot's systemd started, org.freedesktop.systemd1(5) UserspaceTimestamp; where systemd does not answer, when the
 * kernel started, which is another moment in a container only.
 */
export async function bootTime(bus: Ask): Promise<Date> {
  const kernelStart = new Date(Date.now() - os.uptime() * 1000);
  try {
    const { UserspaceTimestamp: microseconds } = await bus.getProperties(MANAGER, { timeoutMs: TIMEOUT_MS });
    return typeof microseconds === 'bigint' ? new Date(Number(microseconds / 1000n)) : kernelStart;
  } catch {
    return kernelStart;
  }
}
