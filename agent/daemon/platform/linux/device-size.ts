// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** sysfs counts in sectors of this size, whatever the device's own are. */
const SECTOR_BYTES = 512;

/**
 * What a block device holds, from sysfs, for the agent may not open it. A partition's label and a mapper's name are looked up
 * there too, for the sandbox hides the links in /dev. Undefined where the device cannot be found.
 */
export async function deviceSizeBytes(device: string, sysFolder = '/sys'): Promise<number | undefined> {
  const folder = join(sysFolder, 'class/block');
  // A link of udev's is not followed: in the sandbox it may lead to a device that is not shown.
  const name = (await nameOf(device, folder)) ?? basename(await readlink(device).catch(() => device));
  const sectors = await readFile(join(folder, name, 'size'), 'utf8').catch(() => undefined);
  return sectors === undefined ? undefined : Number(sectors) * SECTOR_BYTES;
}

async function nameOf(device: string, folder: string): Promise<string | undefined> {
  const [, kind, label] = /^\/dev\/(?:disk\/by-(partlabel)|mapper)\/(.+)$/.exec(device) ?? [];
  if (label === undefined) return undefined;
  const file = kind === 'partlabel' ? 'uevent' : 'dm/name';
  const line = kind === 'partlabel' ? `PARTNAME=${label}` : label;
  for (const name of await readdir(folder).catch(() => [])) {
    const text = await readFile(join(folder, name, file), 'utf8').catch(() => '');
    if (text.split('\n').includes(line)) return name;
  }
  return undefined;
}
