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
