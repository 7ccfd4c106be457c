// SPDX-License-Identifier: Apache-2.0
import type { BundleRequest } from './bundle/build-bundle.ts';
import type { Say } from './host/say.ts';
import type { Image, ImageRecipe } from './image/image-recipe.ts';
import type { HoldsBootLoader, Machine } from './machine.ts';

/** Who a node is, before it runs. */
export interface NodeIdentity {
  readonly name: string;
  /** Where others reach it. */
  readonly host: string;
  readonly port: number;
  /** Where its agent listens, as an address of the node's own. */
  readonly listen: string;
  /** Where its metrics are served: a loopback address of the node's own. */
  readonly metricsListen: string;
}

/** A file of the node's /etc that its image does not have: its configuration, its keys. */
export interface ProvisionedFile {
  /** Below /etc. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode?: number;
  /** root unless it says otherwise. */
  readonly owner?: 'root' | 'lamadist-agent';
}

export interface NodeRequest {
  readonly name: string;
  /** What the factory wrote into slot A. */
  readonly image: Image;
  readonly provision: (node: NodeIdentity) => Promise<readonly ProvisionedFile[]>;
  /** Tries of a slot that was made primary: 1, as with the EFI's BootNext, unless it says otherwise. A virtual machine has no other. */
  readonly maxTries?: number;
  /** 192 MiB unless it says otherwise. A virtual machine's slots are those of wks/, and it refuses this. */
  readonly slotBytes?: number;
  /** More words on the kernel's command line: this node's own, whatever its image. In a virtual machine, a signed addon has them. */
  readonly commandLine?: string;
  readonly say: Say;
}

export interface VirtualNode extends Machine, HoldsBootLoader, NodeIdentity {
  /** Where a program on the node finds its TPM, in the words of TPM2TOOLS_TCTI. */
  readonly tcti: string;
  /** How often it was booted. */
  readonly bootCount: number;
}

/** What firmware starts to boot an image: files on this machine. */
export interface BootFiles {
  /** The UKI, or that of slot A and that of slot B. */
  readonly ukis: readonly string[];
  /** What starts the UKI of a disk that has not booted before, where firmware cannot do so by itself. */
  readonly loader?: string;
}

/** A kind of virtual node: how its images and bundles are made, and how it runs. */
export interface Driver {
  buildImage(recipe: ImageRecipe, say: Say): Promise<Image>;
  buildBundle(request: BundleRequest, say: Say): Promise<{ readonly path: string }>;
  /** What is no file by itself is written into the folder. */
  bootFiles(image: Image, folder: string): Promise<BootFiles>;
  createNode(request: NodeRequest): Promise<VirtualNode>;
}
