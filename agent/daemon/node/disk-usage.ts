// SPDX-License-Identifier: Apache-2.0

export interface FileSystem {
  readonly mountPoint: string;
  readonly device: string;
  readonly type: string;
  readonly readOnly: boolean;
  /** Undefined when the file system does not answer. */
  readonly capacity: Capacity | undefined;
}

interface Capacity {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** A folder to count, and what is in it. */
export interface KnownFolder {
  readonly path: string;
  readonly description: string;
}

export interface FolderUsage extends KnownFolder {
  readonly usedBytes: number;
  readonly files: number;
  /** False when the folder takes at least this. */
  readonly complete: boolean;
}

/** How full the disks are, as the agent sees them from its sandbox. */
export interface DiskUsage {
  fileSystems(signal: AbortSignal): Promise<readonly FileSystem[]>;
  folder(folder: KnownFolder, signal: AbortSignal): Promise<FolderUsage>;
}
