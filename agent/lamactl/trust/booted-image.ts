// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../shared/failure.ts';
import { type Addon, readAddon } from '../attest/image/addon.ts';
import { readPe } from '../attest/image/pe-file.ts';
import { readUki, type Uki } from '../attest/image/uki.ts';
import type { Bank } from '../attest/tpm/algorithms.ts';
import { readInput } from '../input-file.ts';
import { pinsWithAddon } from './addon-pins.ts';
import { type Pins, pinsOfImage } from './pins.ts';

/** What boots, as it is in files: a UKI for each slot, what the firmware starts before it, and what belongs to one node. */
export interface Booted {
  readonly ukis: readonly Uki[];
  readonly loaders: readonly Buffer[];
  readonly addon: Addon | undefined;
}

export interface BootedFiles {
  readonly ukis: readonly string[];
  readonly loaders?: readonly string[] | undefined;
  readonly addon?: string | undefined;
  /** Of the UKIs; the first when left out. */
  readonly profile?: number | undefined;
}

const UKI_LIMIT_BYTES = 1024 * 1024 * 1024;
const LOADER_LIMIT_BYTES = 16 * 1024 * 1024;
const ADDON_LIMIT_BYTES = 1024 * 1024;

/** Throws CONFIG_INVALID of a file that cannot be read, and INVALID_REQUEST of one that is something else. */
export async function readBooted({ ukis, loaders = [], addon, profile }: BootedFiles): Promise<Booted> {
  return {
    ukis: await Promise.all(ukis.map((file) => read(file, UKI_LIMIT_BYTES, (bytes) => readUki(bytes, profile)))),
    loaders: await Promise.all(loaders.map((file) => read(file, LOADER_LIMIT_BYTES, (bytes) => readPe(bytes).bytes))),
    addon: addon === undefined ? undefined : await read(addon, ADDON_LIMIT_BYTES, readAddon),
  };
}

/** What its PCRs will be. */
export function pinsOfBooted({ ukis, loaders, addon }: Booted, bank: Bank): Pins {
  const pins = pinsOfImage(ukis, bank, loaders);
  return addon ? pinsWithAddon(pins, addon, bank) : pins;
}

/** A file that is wrong here is the caller's own, and no node's evidence. */
async function read<Parsed>(file: string, limitBytes: number, parse: (bytes: Buffer) => Parsed): Promise<Parsed> {
  const bytes = await readInput(file, limitBytes);
  try {
    return parse(bytes);
  } catch (thrown) {
    throw new Failure('INVALID_REQUEST', `Cannot use ${file}: ${Failure.from(thrown).message}`, { file }, { cause: thrown });
  }
}
