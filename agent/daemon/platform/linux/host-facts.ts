// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { parseEnv } from 'node:util';
import type { HostFacts } from '../../node/device.ts';

/** Reads what stays the same for a whole boot. A file that is not there leaves its facts empty. */
export async function readHostFacts(root = ''): Promise<Omit<HostFacts, 'bootedAt'>> {
  const read = (path: string) => readFile(root + path, 'utf8').catch(() => '');
  const osRelease = parseEnv(await read('/etc/os-release'));
  return {
    hostname: os.hostname(),
    machineId: (await read('/etc/machine-id')).trim(),
    imageId: osRelease.IMAGE_ID ?? '',
    imageVersion: osRelease.IMAGE_VERSION ?? '',
    kernelRelease: os.release(),
    architecture: os.machine(),
  };
}
