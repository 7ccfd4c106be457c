// SPDX-License-Identifier: Apache-2.0
import { listKernelFolder, readKernelFile } from '../kernel-file.ts';
import type { Mount } from '../mounts.ts';

/** One layer of the device mapper: who made it, as the first words of its UUID, and the file that says so. */
export interface Layer {
  /** For example CRYPT-VERITY-… or CRYPT-LUKS2-…. */
  readonly uuid: string;
  readonly evidence: string;
}

/** Deeper than anybody stacks devices. */
const MAX_DEPTH = 8;

/** Where sysfs describes the block device below a mount; undefined when the file system does not tell on which it is. */
export async function blockDeviceOf(root: string, { device, source }: Mount): Promise<string | undefined> {
  if (!device.startsWith('0:')) return `/sys/dev/block/${device}`;
  // A file system of several devices (btrfs) has a number of its own; what was mounted is one of them.
  const name = /^\/dev\/(?:mapper\/)?([^/]+)$/.exec(source)?.[1];
  if (name === undefined) return undefined;
  for (const candidate of (await listKernelFolder(`${root}/sys/class/block`)) ?? []) {
    const folder = `/sys/class/block/${candidate}`;
    if (candidate === name || (await readKernelFile(`${root}${folder}/dm/name`)) === name) return folder;
  }
  return undefined;
}

/** The device mapper's layers from a block device down to the disk. */
export async function layersBelow(root: string, folder: string, depth = 0): Promise<readonly Layer[]> {
  if (depth > MAX_DEPTH) return [];
  const evidence = `${folder}/dm/uuid`;
  const uuid = await readKernelFile(`${root}${evidence}`);
  const layers: Layer[] = uuid ? [{ uuid, evidence }] : [];
  for (const below of (await listKernelFolder(`${root}${folder}/slaves`)) ?? []) {
    layers.push(...(await layersBelow(root, `${folder}/slaves/${below}`, depth + 1)));
  }
  return layers;
}
