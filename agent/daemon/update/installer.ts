// SPDX-License-Identifier: Apache-2.0
import type { FailureCode } from '../../shared/failure.ts';

/** What a bundle's manifest says, after its signature was verified. */
export interface Bundle {
  readonly compatible: string;
  readonly version: string;
  readonly description: string;
  readonly build: string;
  /** RAUC's bundle format: plain, verity or crypt. */
  readonly format: string;
  /** SHA-256 of the manifest in hexadecimal, or empty where RAUC does not tell. */
  readonly manifestHash: string;
  /** What it brings for which class of slots. */
  readonly images: readonly { readonly slotClass: string; readonly sizeBytes: number }[];
}

/** One bootable slot (RAUC's slots with a bootname; their children are written with them). */
export interface Slot {
  /** RAUC's name, for example rootfs.0. */
  readonly name: string;
  readonly bootname: string;
  readonly device: string;
  /** Itself and the slots that are written with it: at most one of each class. */
  readonly group: readonly { readonly name: string; readonly slotClass: string; readonly device: string }[];
  readonly booted: boolean;
  readonly primary: boolean;
  readonly bootStatus: 'good' | 'bad' | 'unknown';
  /** Version of the bundle that was written last; empty when RAUC wrote none. A failed slot shows the failed bundle's. */
  readonly version: string;
  /** RAUC's slot status: ok, pending, failed, or empty. Only ok means that the version above is there whole. */
  readonly status: string;
  readonly installedAt?: Date;
  /** The id of the transaction that wrote it, where RAUC tells (1.10 and later). */
  readonly transactionId?: string;
  /** The hash of the manifest of the bundle that was written last, where RAUC tells. */
  readonly manifestHash?: string;
}

export type InstallerEvent =
  | { readonly type: 'progress'; readonly percent: number; readonly message: string }
  | { readonly type: 'completed' }
  | { readonly type: 'failed'; readonly code: FailureCode; readonly message: string }
  /** The installer left the bus in the middle of an install and will never report its end. */
  | { readonly type: 'vanished' };

export interface InstallRequest {
  /** An absolute path on the node, or an https: URL. */
  readonly location: string;
  readonly transactionId: string;
  /** When set, the installer refuses a bundle with another manifest than the one that was inspected. */
  readonly manifestHash?: string;
}

/**
 * The port through which an update reaches the slots. Every call ends by its own deadline, fails with a Failure, and is
 * serialised by the adapter. The signal cancels the waiting, never an install.
 */
export interface Installer {
  compatible(signal: AbortSignal): Promise<string>;
  /** The bootable slots, in the order of their names. */
  slots(signal: AbortSignal): Promise<readonly Slot[]>;
  inspect(location: string, signal: AbortSignal): Promise<Bundle>;
  /** Starts an install; its progress and its end arrive at the listeners. */
  install(request: InstallRequest, signal: AbortSignal): Promise<void>;
  /** Whether an install is under way, whoever started it. */
  installing(signal: AbortSignal): Promise<boolean>;
  /** What RAUC says of the last install that failed; empty when none did since RAUC started. */
  lastError(signal: AbortSignal): Promise<string>;
  /** Makes a slot the one that the boot loader tries first. */
  activate(slot: string, signal: AbortSignal): Promise<void>;
  markGood(slot: string, signal: AbortSignal): Promise<void>;
  markBad(slot: string, signal: AbortSignal): Promise<void>;
  /** Hears of every install. Returns how to stop listening. */
  listen(listener: (event: InstallerEvent) => void): () => void;
}
