// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { networkInterfaces } from '../../../../../agent/daemon/platform/systeminformation/network-interfaces.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

describe('the network interfaces', () => {
  it('are those of sysfs but the loopback, of hardware or not, with what they do not tell left open', async () => {
    const folder = await temporaryFolder();
    for (const path of ['lo', 'wire/device', 'bridge']) await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, 'wire/address'), '02:00:00:00:00:01\n');
    await writeFile(join(folder, 'wire/operstate'), 'up\n');
    await writeFile(join(folder, 'wire/speed'), '2500\n');
    expect(await networkInterfaces(folder)).toEqual([
      { name: 'bridge', macAddress: '', addresses: [], state: '', megabitsPerSecond: Number.NaN, virtual: true },
      { name: 'wire', macAddress: '02:00:00:00:00:01', addresses: [], state: 'up', megabitsPerSecond: 2500, virtual: false },
    ]);
  });
});
