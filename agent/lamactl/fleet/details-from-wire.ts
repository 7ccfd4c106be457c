// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../shared/gen/messages.js';
import {
  type DiskUsage,
  type FileSystem,
  type FolderUsage,
  PROTECTION_KINDS,
  PROTECTION_STATES,
  type Protection,
  type Unit,
} from './node-details.ts';
import { named, present, text } from './wire-values.ts';

export function protectionFromWire({ kind, state, detail, evidence }: lamadist.agent.v1.Protection.$Properties): Protection {
  return { kind: named(PROTECTION_KINDS, kind), state: named(PROTECTION_STATES, state), detail: text(detail), evidence: text(evidence) };
}

export function diskUsageFromWire({ fileSystems, folders }: lamadist.agent.v1.GetDiskUsageResponse.$Properties): DiskUsage {
  return { fileSystems: (fileSystems ?? []).map(fileSystem), folders: (folders ?? []).map(folderUsage) };
}

function fileSystem({ mountPoint, device, type, readOnly, capacity }: lamadist.agent.v1.FileSystem.$Properties): FileSystem {
  return {
    mountPoint: text(mountPoint),
    device: text(device),
    type: text(type),
    readOnly: readOnly ?? false,
    ...present('capacity', capacity, (known) => ({
      sizeBytes: known.sizeBytes ?? 0,
      usedBytes: known.usedBytes ?? 0,
      availableBytes: known.availableBytes ?? 0,
      inodes: known.inodes ?? 0,
      freeInodes: known.freeInodes ?? 0,
    })),
  };
}

function folderUsage({ path, description, usedBytes, files, complete }: lamadist.agent.v1.FolderUsage.$Properties): FolderUsage {
  return {
    path: text(path),
    description: text(description),
    usedBytes: usedBytes ?? 0,
    files: files ?? 0,
    complete: complete ?? false,
  };
}

export function unitFromWire(unit: lamadist.agent.v1.Unit.$Properties): Unit {
  return {
    name: text(unit.name),
    description: text(unit.description),
    loadState: text(unit.loadState),
    activeState: text(unit.activeState),
    subState: text(unit.subState),
    restartable: unit.restartable ?? false,
  };
}
