// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { packBundle } from '../bundle/build-bundle.ts';
import type { Driver } from '../driver.ts';
import { buildVmImage, vmRoots } from './image/build-vm-image.ts';
import { MACHINE } from './layers.ts';
import { VirtualMachine } from './machine/virtual-machine.ts';

/** The slot classes of the board's RAUC configuration. */
const SLOTS = ['rootfs', 'verity', 'esp'];
/** Packs an EFI system partition's empty half away in no time. */
const SQUASHFS = '-comp lz4';

/** Nodes in virtual machines: slow, and real from the firmware on. */
export const vmDriver: Driver = {
  buildImage: buildVmImage,
  createNode: (request) => VirtualMachine.create(request),
  async buildBundle(request, say) {
    const { tools } = await vmRoots(say);
    const images = Object.fromEntries(SLOTS.map((slot) => [slot, path.join(request.image.path, `${slot}.img`)]));
    const compatible = request.compatible ?? `lamadist-${MACHINE}`;
    await packBundle(
      { ...request, root: tools, images, compatible, format: 'verity', squashfs: SQUASHFS, adaptive: 'block-hash-index' },
      say,
    );
    return { path: request.target };
  },
};
