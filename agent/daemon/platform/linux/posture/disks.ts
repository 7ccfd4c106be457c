// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../../../node/security-posture.ts';
import { listKernelFolder } from '../kernel-file.ts';
import { mountOf, readMounts } from '../mounts.ts';
import { blockDeviceOf, layersBelow } from './device-mapper.ts';

const MOUNTS = '/proc/self/mountinfo';

export function verityRoot(root: string): Promise<Finding> {
  return layerUnder(root, '/', 'CRYPT-VERITY-', 'dm-verity');
}

export function luksData(root: string): Promise<Finding> {
  return layerUnder(root, '/var', 'CRYPT-LUKS', 'LUKS');
}

/** Whether a path is on a layer of the device mapper whose UUID begins so. */
async function layerUnder(root: string, path: string, prefix: string, layerName: string): Promise<Finding> {
  const mount = mountOf(await readMounts(root), path);
  if (!mount) return { state: 'unknown', detail: `cannot tell what is mounted on ${path}`, evidence: MOUNTS };
  const { source, type } = mount;
  const device = await blockDeviceOf(root, mount);
  if (device === undefined || !(await listKernelFolder(root + device))) {
    return { state: 'unknown', detail: `${path} is ${type} on ${source}, and what is below that cannot be seen`, evidence: MOUNTS };
  }
  const layers = await layersBelow(root, device);
  const layer = layers.find(({ uuid }) => uuid.startsWith(prefix));
  if (layer) return { state: 'on', detail: `${path} is ${type} on ${layerName}`, evidence: layer.evidence };
  return { state: 'off', detail: `${path} is ${type} on ${source}, without ${layerName} below it`, evidence: device };
}
