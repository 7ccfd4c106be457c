// SPDX-License-Identifier: Apache-2.0
import { access, readdir } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { readBounded } from '../../files/bounded-file.ts';

/** From sysfs and the kernel's own list: systeminformation starts programs for each interface to learn the same. */
export async function networkInterfaces(folder = '/sys/class/net') {
  const addresses = os.networkInterfaces();
  const names = (await readdir(folder)).filter((name) => name !== 'lo').sort();
  return Promise.all(
    names.map(async (name) => ({
      name,
      macAddress: (await told(folder, name, 'address')) ?? '',
      addresses: (addresses[name] ?? []).flatMap(({ cidr }) => cidr ?? []),
      state: (await told(folder, name, 'operstate')) ?? '',
      megabitsPerSecond: Number(await told(folder, name, 'speed')),
      virtual: !(await isThere(join(folder, name, 'device'))),
    })),
  );
}

/** An interface that is down refuses to tell its speed. */
async function told(folder: string, name: string, file: string): Promise<string | undefined> {
  try {
    return (await readBounded(join(folder, name, file), 256)).toString('utf8').trim();
  } catch {
    return undefined;
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
