// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { assignments, expand, type LayerVariables } from '../layers/bitbake-text.ts';
import { LAYER } from '../layers/layer-folders.ts';
import { type Architecture, X86_64 } from './architecture.ts';

/** The board that every virtual machine is made like: also the one for arm64, of which the layers have no files. */
const BOARD = X86_64.machine;
export const BOARD_FILES = path.join(LAYER, `boards/recipes-core/rauc/files/${BOARD}`);

/** Where the layers say what the image's command line, console and partition types are; a later one wins. */
const SOURCES = ['conf/distro/include/lamadist-boot.inc', 'classes-recipe/lamadist-uki.bbclass', `boards/conf/machine/${BOARD}.conf`].map(
  (name) => path.join(LAYER, name),
);

/** The sizes of the virtual machine's partitions in MiB: its image is smaller than the real one, and so is its disk. */
const SIZES = { LAMADIST_ESP_MIB: '80', LAMADIST_ROOT_MIB: '224', LAMADIST_HASH_MIB: '8' } as const;

/** A build's own words, of which the last one counts: tests get in through credentials, which images refuse. */
const WORDS = { LAMADIST_EXTRA_CMDLINE: 'systemd.import_credentials=yes' } as const;

/** The layers' assignments that an image is made of, the sizes of this machine's partitions, and its words. */
export async function layerVariables({ name, variables }: Architecture = X86_64): Promise<LayerVariables> {
  const texts = await Promise.all(SOURCES.map((file) => readFile(file, 'utf8')));
  return { ...assignments(texts.join('\n'), name), ...SIZES, ...WORDS, ...variables };
}

/** What the layers put inside LUKS2. */
export interface Encryption {
  readonly data: boolean;
  readonly root: boolean;
}

export function encryptionOf(variables: LayerVariables): Encryption {
  const isOn = (name: string): boolean => expand(`\${${name}}`, variables) === 'tpm2';
  return { data: isOn('LAMADIST_DATA_ENCRYPTION'), root: isOn('LAMADIST_ROOT_ENCRYPTION') };
}
