// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHost } from '../../../../../../agent/daemon/platform/linux/host/read-host.ts';
import { temporaryFolder } from '../../../../fakes/folder.ts';

/** A /proc and /sys with these files. */
async function machine(files: Readonly<Record<string, string>>) {
  const root = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), `${text}\n`);
  }
  return readHost(root);
}

describe('a look at the machine', () => {
  it('finds what this kernel has', async () => {
    const host = readHost();
    expect((await host.cpu()).cores.length).toBeGreaterThan(0);
    expect((await host.memory()).total).toBeGreaterThan(1 << 20);
    expect((await host.network()).map(({ name }) => name)).toContain('lo');
    await Promise.all([host.load(), host.disks(), host.paging(), host.files(), host.temperature()]);
  });

  it('reads the sensors of each chip, by their labels where they have one, and passes over one that is off', async () => {
    const chip = '/sys/class/hwmon/hwmon0';
    const host = await machine({
      [`${chip}/name`]: 'k10temp',
      [`${chip}/temp1_input`]: '45500',
      [`${chip}/temp1_label`]: 'Tctl',
      [`${chip}/temp2_input`]: '30000',
      [`${chip}/temp3_input`]: 'N/A',
      '/sys/class/thermal/thermal_zone0/temp': '99000',
    });
    expect(await host.temperature()).toEqual([
      { chip: 'k10temp', sensor: 'Tctl', celsius: 45.5 },
      { chip: 'k10temp', sensor: 'temp2', celsius: 30 },
    ]);
  });

  it('reads the thermal zones of a board without such chips', async () => {
    const zone = '/sys/class/thermal/thermal_zone0';
    const host = await machine({
      [`${zone}/type`]: 'soc-thermal',
      [`${zone}/temp`]: '51000',
      '/sys/class/thermal/cooling_device0/type': 'x',
    });
    expect(await host.temperature()).toEqual([{ chip: 'soc-thermal', sensor: 'thermal_zone0', celsius: 51 }]);
    expect(await (await machine({})).temperature()).toEqual([]);
  });

  it('fails for what this kernel does not tell, and for nothing else', async () => {
    const host = await machine({ '/proc/loadavg': '1 2 3 1/1 1' });
    expect(await host.load()).toEqual([1, 2, 3]);
    await expect(host.pressure()).rejects.toThrow('there is no /proc/pressure/');
  });
});
