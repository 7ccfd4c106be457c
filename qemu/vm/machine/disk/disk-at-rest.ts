// SPDX-License-Identifier: Apache-2.0
import type { Root } from '../../../root/prepare-root.ts';
import type { Architecture } from '../../architecture.ts';
import type { VmFolder } from '../vm-folder.ts';
import { type AddonContent, placeAddon } from './addon.ts';
import { signWithForeignKey } from './foreign-key.ts';
import { flipBit, type TamperPlace } from './tamper.ts';

/** The disk of a machine that is off, in the hands of whoever took it out. */
export class DiskAtRest {
  constructor(
    private readonly tools: Root,
    private readonly folder: VmFolder,
    private readonly architecture: Architecture,
  ) {}

  /** Changes one bit. */
  async tamper(place: TamperPlace): Promise<void> {
    await flipBit(this.folder.disk, place, this.architecture);
  }

  /** Signs a slot's UKI anew with a key that the firmware does not know. */
  async signWithForeignKey(slot: 'a' | 'b'): Promise<void> {
    await signWithForeignKey(this.tools, this.folder, slot, this.architecture);
  }

  /** Makes the node's own addon, and puts it on the first EFI system partition. */
  async putAddon(content: AddonContent): Promise<void> {
    await placeAddon(this.tools, this.folder, content, this.architecture);
  }
}
