// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildBundle } from '../bundle/build-bundle.ts';
import type { Driver } from '../driver.ts';
import { buildImage } from '../image/build-image.ts';
import { readUkiBehind } from '../image/image-uki.ts';
import { NamespaceMachine } from './namespace-machine.ts';

/** Nodes in namespaces of the host's kernel: they boot in a second, and have no boot chain of their own. */
export const namespaceDriver: Driver = {
  buildImage,
  buildBundle,
  async bootFiles(image, folder) {
    const uki = await readUkiBehind(image.path);
    if (!uki) throw new Error(`Cannot tell what boots version ${image.version}: ${image.path} has no UKI`);
    const file = path.join(folder, `v${image.version}.efi`);
    await writeFile(file, uki);
    return { ukis: [file] };
  },
  createNode: (request) => NamespaceMachine.create(request),
};
