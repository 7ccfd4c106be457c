// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expand, type LayerVariables } from '../../layers/bitbake-text.ts';
import type { Architecture } from '../architecture.ts';
import { layerVariables } from '../layers.ts';

const LAYOUT = path.resolve(import.meta.dirname, '../../../wks/x86_64.wks.in');
const MIB = 1 << 20;

export interface Partition {
  readonly name: string;
  /** A GUID of the Discoverable Partitions Specification. */
  readonly type: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** The partitions of a disk fresh from the factory, as wks/ lays them out: one after the other from the first MiB. */
export async function diskLayout(variables: LayerVariables): Promise<Partition[]> {
  const lines = (await readFile(LAYOUT, 'utf8')).split('\n').filter((line) => line.startsWith('part '));
  let offsetBytes = MIB;
  return lines.map((line) => {
    const option = (name: string): string => {
      const [, value] = new RegExp(` --${name} (\\S+)`).exec(line) ?? [];
      if (value === undefined) throw new Error(`Cannot lay out the disk: a line of ${LAYOUT} has no --${name}`);
      return value;
    };
    const sizeBytes = Number.parseInt(expand(option('fixed-size'), variables), 10) * MIB;
    const partition = { name: option('part-name'), type: expand(option('part-type'), variables), offsetBytes, sizeBytes };
    offsetBytes += sizeBytes;
    return partition;
  });
}

/** A partition of a machine's disk. Throws when it has none of this name. */
export async function namedPartition(name: string, architecture: Architecture): Promise<Partition> {
  const found = (await diskLayout(await layerVariables(architecture))).find((partition) => partition.name === name);
  if (!found) throw new Error(`Cannot find ${name}: the disk has no such partition`);
  return found;
}

/** The same as sfdisk(8) wants it. */
export function partitionTable(partitions: readonly Partition[]): string {
  const sectors = (bytes: number) => bytes / 512;
  const lines = partitions.map(
    ({ name, type, offsetBytes, sizeBytes }) =>
      `name="${name}", start=${sectors(offsetBytes)}, size=${sectors(sizeBytes)}, type=${type.toUpperCase()}`,
  );
  return ['label: gpt', ...lines, ''].join('\n');
}
