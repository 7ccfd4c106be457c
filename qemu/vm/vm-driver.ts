// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import { packBundle } from '../bundle/build-bundle.ts';
import { bundleClass } from '../bundle/bundle-class.ts';
import type { BootFiles, Driver, NodeRequest } from '../driver.ts';
import { run } from '../host/command.ts';
import { AARCH64, type Architecture, X86_64 } from './architecture.ts';
import { buildVmImage } from './image/build-vm-image.ts';
import { suspendedMachine } from './machine/suspended/suspended-machine.ts';
import { VirtualMachine } from './machine/virtual-machine.ts';
import { vmRoots } from './roots.ts';

const LAMACTL = path.resolve(import.meta.dirname, '../../dist/lamactl.js');
const LEARN_MS = 60_000;

const bootFiles = (imageFolder: string): Required<BootFiles> => ({
  ukis: ['a', 'b'].map((slot) => path.join(imageFolder, `lamadist-${slot}.efi`)),
  loader: path.join(imageFolder, 'fallback.efi'),
});

/** What the image of either slot will make of the TPM, for the manifest: what a distribution ships. */
async function measurements(imageFolder: string): Promise<string> {
  const { ukis } = bootFiles(imageFolder);
  return run(['node', LAMACTL, 'attest', 'learn', '--bundle-metadata', '--uki', ...ukis], { timeoutMs: LEARN_MS });
}

/** Throws when a node is asked for that cannot be made here: firmware and layout of the disk are what they are. */
function requireMakeable({ name, maxTries = 1, slotBytes }: NodeRequest): void {
  if (maxTries !== 1) throw new Error(`Cannot make ${name} with maxTries ${maxTries}: a virtual machine's firmware gives a slot one try`);
  if (slotBytes !== undefined)
    throw new Error(`Cannot make ${name} with slotBytes ${slotBytes}: a virtual machine's slots are those of wks/`);
}

const driverFor = (architecture: Architecture): Driver => ({
  buildImage: (recipe, say) => buildVmImage(recipe, say, architecture),
  bootFiles: async (image) => bootFiles(image.path),
  async createNode(request) {
    requireMakeable(request);
    return VirtualMachine.create({ ...request, architecture });
  },
  async buildBundle(request, say) {
    const { tools } = await vmRoots(say);
    const { squashfs, ...ofClass } = await bundleClass({ MACHINE: architecture.machine });
    const images = ofClass.images.map((image) => ({ ...image, file: path.join(request.image.path, image.filename) }));
    const { compatible = ofClass.compatible, format = request.encryptTo ? 'crypt' : 'verity' } = request;
    const metadata = request.metadata ?? (await measurements(request.image.path));
    await packBundle({ ...request, root: tools, images, compatible, metadata, format, squashfs }, say);
    return { path: request.target };
  },
});

/** Nodes in virtual machines: slow, and real from the firmware on. */
export const vmDriver: Driver = driverFor(X86_64);

/** The same for arm64. */
export const arm64Driver: Driver = driverFor(AARCH64);

/** The same without a first boot, which takes minutes: each node begins as one that has booted and come to rest before. */
export const resumedVmDriver: Driver = {
  ...vmDriver,
  async createNode(request) {
    requireMakeable(request);
    // What is on the kernel's command line, a suspended machine has read already.
    return request.commandLine === undefined
      ? VirtualMachine.create({ ...request, resumesFrom: await suspendedMachine(vmDriver, request) })
      : VirtualMachine.create(request);
  },
};
