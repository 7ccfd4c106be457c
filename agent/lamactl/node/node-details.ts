// SPDX-License-Identifier: Apache-2.0

/* What can be asked of a node beside its updates and its health; see node.ts for the rules. */

export const PROTECTION_KINDS = ['unknown', 'secure-boot', 'verity-root', 'luks-data', 'selinux', 'ima', 'tpm', 'lockdown'] as const;
export const PROTECTION_STATES = ['unknown', 'on', 'off'] as const;

type ProtectionKind = (typeof PROTECTION_KINDS)[number];
export type ProtectionState = (typeof PROTECTION_STATES)[number];

export interface Protection {
  readonly kind: ProtectionKind;
  readonly state: ProtectionState;
  readonly detail: string;
  /** The file on the node that says so. */
  readonly evidence: string;
}

interface Product {
  readonly vendor: string;
  readonly name: string;
  readonly version: string;
  readonly serial: string;
}

/** A text that is empty, and a number that is missing, are unknown. */
export interface Inventory {
  readonly collectedAt?: string;
  readonly system: Product;
  readonly board: Product;
  readonly firmware: { readonly vendor: string; readonly version: string; readonly released: string };
  readonly processor: { readonly vendor: string; readonly model: string; readonly cores?: number; readonly threads?: number };
  readonly memoryBytes?: number;
  readonly disks: readonly {
    readonly name: string;
    readonly vendor: string;
    readonly model: string;
    readonly serial: string;
    readonly type: string;
    readonly sizeBytes?: number;
  }[];
  readonly networkInterfaces: readonly {
    readonly name: string;
    readonly macAddress: string;
    readonly addresses: readonly string[];
    readonly state: string;
    readonly megabitsPerSecond?: number;
    readonly virtual: boolean;
  }[];
  /** What the node could not find out, each with the reason. */
  readonly problems: readonly string[];
}

export interface FileSystem {
  readonly mountPoint: string;
  readonly device: string;
  readonly type: string;
  readonly readOnly: boolean;
  /** Missing when the file system does not answer the node. */
  readonly capacity?: {
    readonly sizeBytes: number;
    readonly usedBytes: number;
    readonly availableBytes: number;
    readonly inodes: number;
    readonly freeInodes: number;
  };
}

export interface FolderUsage {
  readonly path: string;
  readonly description: string;
  readonly usedBytes: number;
  readonly files: number;
  /** False when it takes at least this. */
  readonly complete: boolean;
}

export interface DiskUsage {
  readonly fileSystems: readonly FileSystem[];
  readonly folders: readonly FolderUsage[];
}

export interface Unit {
  readonly name: string;
  readonly description: string;
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly restartable: boolean;
}

export interface UnitFilter {
  readonly states: readonly string[];
  readonly patterns: readonly string[];
}
