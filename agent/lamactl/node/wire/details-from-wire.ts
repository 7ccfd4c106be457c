// SPDX-License-Identifier: Apache-2.0
import type { lamadist } from '../../../shared/gen/messages.js';
import {
  type DiskUsage,
  type FileSystem,
  type FolderUsage,
  type Inventory,
  PROTECTION_KINDS,
  PROTECTION_STATES,
  type Protection,
  type Unit,
} from '../node-details.ts';
import { named, present, text, time } from './wire-values.ts';

export function protectionFromWire({ kind, state, detail, evidence }: lamadist.agent.v1.Protection.$Properties): Protection {
  return { kind: named(PROTECTION_KINDS, kind), state: named(PROTECTION_STATES, state), detail: text(detail), evidence: text(evidence) };
}

export function inventoryFromWire(inventory: lamadist.agent.v1.Inventory.$Properties): Inventory {
  const { collectedAt, system, board, firmware, processor, memoryBytes, disks, networkInterfaces, problems } = inventory;
  return {
    ...present('collectedAt', collectedAt, time),
    system: product(system ?? {}),
    board: product(board ?? {}),
    firmware: { vendor: text(firmware?.vendor), version: text(firmware?.version), released: text(firmware?.released) },
    processor: {
      vendor: text(processor?.vendor),
      model: text(processor?.model),
      ...present('cores', processor?.cores, Number),
      ...present('threads', processor?.threads, Number),
    },
    ...present('memoryBytes', memoryBytes, Number),
    disks: (disks ?? []).map(({ name, vendor, model, serial, type, sizeBytes }) => ({
      ...{ name: text(name), vendor: text(vendor), model: text(model), serial: text(serial), type: text(type) },
      ...present('sizeBytes', sizeBytes, Number),
    })),
    networkInterfaces: (networkInterfaces ?? []).map(({ name, macAddress, addresses, state, megabitsPerSecond, virtual }) => ({
      name: text(name),
      macAddress: text(macAddress),
      addresses: (addresses ?? []).map(text),
      state: text(state),
      ...present('megabitsPerSecond', megabitsPerSecond, Number),
      virtual: virtual ?? false,
    })),
    problems: (problems ?? []).map(text),
  };
}

function product({ vendor, name, version, serial }: lamadist.agent.v1.Product.$Properties): Inventory['system'] {
  return { vendor: text(vendor), name: text(name), version: text(version), serial: text(serial) };
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
