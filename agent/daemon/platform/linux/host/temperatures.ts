// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { TemperatureReading } from '../../../node/host-readings.ts';
import { listKernelFolder, readKernelFile } from '../kernel-file.ts';

/** Millidegrees, as the kernel writes them; a sensor that is off has something else. */
export function parseMillidegrees(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) / 1000 : undefined;
}

/** The sensors of /sys/class/hwmon (the kernel's hwmon/sysfs-interface), and where a board has none, its thermal zones. */
export async function readTemperatures(root = ''): Promise<TemperatureReading[]> {
  const chips = join(root, '/sys/class/hwmon');
  const found = await Promise.all(((await listKernelFolder(chips)) ?? []).map((name) => ofChip(join(chips, name))));
  return found.some((sensors) => sensors.length > 0) ? found.flat() : ofZones(join(root, '/sys/class/thermal'));
}

async function ofChip(folder: string): Promise<TemperatureReading[]> {
  const inputs = ((await listKernelFolder(folder)) ?? []).filter((name) => /^temp\d+_input$/.test(name));
  const chip = (await readKernelFile(join(folder, 'name'))) ?? '';
  const readings = inputs.map(async (input) => {
    const number = input.slice(0, -'_input'.length);
    const sensor = (await readQuietly(join(folder, `${number}_label`))) ?? number;
    return reading(chip, sensor, await readQuietly(join(folder, input)));
  });
  return (await Promise.all(readings)).flat();
}

async function ofZones(folder: string): Promise<TemperatureReading[]> {
  const zones = ((await listKernelFolder(folder)) ?? []).filter((name) => name.startsWith('thermal_zone'));
  const readings = zones.map(async (zone) =>
    reading((await readQuietly(join(folder, zone, 'type'))) ?? '', zone, await readQuietly(join(folder, zone, 'temp'))),
  );
  return (await Promise.all(readings)).flat();
}

/** A sensor that does not answer is not there; the others are. */
const readQuietly = (path: string): Promise<string | undefined> => readKernelFile(path).catch(() => undefined);

function reading(chip: string, sensor: string, text: string | undefined): TemperatureReading[] {
  const celsius = parseMillidegrees(text);
  return celsius === undefined ? [] : [{ chip, sensor, celsius }];
}
