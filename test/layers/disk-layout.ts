// SPDX-License-Identifier: Apache-2.0
import { execa } from 'execa';

const SECTOR_BYTES = 512;
const KIB = 1024;
/** Where wic begins the first partition, and the unit that it rounds the next ones up to. */
const ALIGNMENT_BYTES = 1024 * KIB;

export interface Partition {
  readonly name: string;
  /** A GUID in small letters. */
  readonly type: string;
  readonly startBytes: number;
  readonly sizeBytes: number;
}

/** The partitions that a layout of wks/ asks for. Throws on a variable without a value. */
export function plannedPartitions(layout: string, variables: Readonly<Record<string, string>>): Partition[] {
  let endBytes = 0;
  return layout
    .split('\n')
    .filter((line) => line.startsWith('part '))
    .map((line) => {
      const option = (name: string) => new RegExp(` --${name} (\\S+)`).exec(expandLayout(line, variables))?.[1];
      const offset = option('offset');
      const startBytes = offset === undefined ? roundUp(Math.max(endBytes, ALIGNMENT_BYTES)) : bytes(offset);
      const sizeBytes = bytes(option('fixed-size') ?? '');
      endBytes = startBytes + sizeBytes;
      return { name: option('part-name') ?? '', type: (option('part-type') ?? '').toLowerCase(), startBytes, sizeBytes };
    });
}

/** The partitions of a disk or of an image of one, as sfdisk(8) reads them. */
export async function readPartitions(disk: string): Promise<Partition[]> {
  const { stdout } = await execa('sfdisk', ['--json', disk], { preferLocal: false, env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  const { partitiontable: table } = JSON.parse(stdout) as { partitiontable: { partitions: SfdiskPartition[] } };
  return table.partitions.map(({ name = '', type, start, size }) => ({
    name,
    type: type.toLowerCase(),
    startBytes: start * SECTOR_BYTES,
    sizeBytes: size * SECTOR_BYTES,
  }));
}

interface SfdiskPartition {
  readonly name?: string;
  readonly type: string;
  /** Both in sectors. */
  readonly start: number;
  readonly size: number;
}

/** Puts the values in the place of ${NAMES}, and leaves what has none. */
export function expandLayout(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole);
}

/** A size of a layout: sectors (s), KiB (K) or MiB (M). */
function bytes(text: string): number {
  const [, number, unit] = /^(\d+)([sKM])$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`Cannot read a layout: "${text}" is no size`);
  return Number(number) * (unit === 's' ? SECTOR_BYTES : unit === 'K' ? KIB : KIB * KIB);
}

function roundUp(position: number): number {
  return Math.ceil(position / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}
