// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { parseEnv } from 'node:util';
import type { HostFacts } from '../../node/device.ts';

/** Reads what stays the same for a whole boot. A file that is not there leaves its facts empty. */
export async function readHostFacts(): Promise<HostFacts> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const osRelease = parseEnv(await read('/etc/os-release'));
  return {
    hostname: os.hostname(),
    machineId: (await read('/etc/machine-id')).trim(),
    bootedAt: await bootedAt(read),
    imageId: osRelease.IMAGE_ID ?? '',
    imageVersion: osRelease.IMAGE_VERSION ?? '',
    kernelRelease: os.release(),
    architecture: os.machine(),
  };
}

/** When PID 1 started, which in a container is not when the kernel did: proc_pid_stat(5), field 22, in ticks since the boot of the kernel. */
async function bootedAt(read: (path: string) => Promise<string>): Promise<Date> {
  const fields = (await read('/proc/1/stat')).split(') ').at(-1)?.split(' ') ?? [];
  const startedSeconds = Number(fields[22 - 3] ?? 0) / TICKS_PER_SECOND;
  return new Date(Date.now() - (os.uptime() - startedSeconds) * 1000);
}

/** USER_HZ, which Linux fixes at 100 on every architecture that LamaDist has. */
const TICKS_PER_SECOND = 100;
