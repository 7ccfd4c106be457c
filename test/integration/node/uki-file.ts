// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Homelab } from '../../../qemu/homelab.ts';
import { readUkiBehind } from '../../../qemu/image/image-uki.ts';

/** The UKI that lies behind the image of a version, as a file of the administrator's. */
export async function ukiFile(homelab: Homelab, version: string): Promise<string> {
  const file = path.join(homelab.folder, `v${version}.efi`);
  await writeFile(file, (await readUkiBehind((await homelab.image(version)).path)) ?? '');
  return file;
}
