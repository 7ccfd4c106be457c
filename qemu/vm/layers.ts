// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Architecture, X86_64 } from './architecture.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../..');
export const LAYER = path.join(REPOSITORY, 'meta-lamadist');
/** The board that every virtual machine is made like: also the one for arm64, of which the layers have no files. */
const BOARD = X86_64.machine;
export const BOARD_FILES = path.join(LAYER, `boards/recipes-core/rauc/files/${BOARD}`);

/** Where the layers say what the image's command line, console and partition types are; a later one wins. */
const SOURCES = ['conf/distro/include/lamadist-boot.inc', 'classes-recipe/lamadist-uki.bbclass', `boards/conf/machine/${BOARD}.conf`].map(
  (name) => path.join(LAYER, name),
);

/** The sizes of the virtual machine's partitions in MiB: its image is smaller than the real one, and so is its disk. */
const SIZES = { LAMADIST_ESP_MIB: '80', LAMADIST_ROOT_MIB: '224', LAMADIST_HASH_MIB: '8' } as const;

export type LayerVariables = Readonly<Record<string, string>>;

/** The layers' assignments that an image is made of, and the sizes of this machine's partitions. */
export async function layerVariables({ name, variables }: Architecture = X86_64): Promise<LayerVariables> {
  const texts = await Promise.all(SOURCES.map((file) => readFile(file, 'utf8')));
  return { ...assignments(texts.join('\n'), name), ...SIZES, ...variables };
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

/** Reads BitBake's plain assignments of one line, for a kind of processor. */
export function assignments(text: string, processor: Architecture['name'] = 'x86-64'): LayerVariables {
  const found: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(new RegExp(`^([A-Z][A-Z0-9_]*)(?::${processor})? \\??= "([^"\\n]*)"$`, 'gm')))
    found[name!] = value!;
  return found;
}

/** Puts the values in the place of ${NAMES}. Throws on a name that has none. */
export function expand(text: string, variables: LayerVariables): string {
  return text.replace(/\$\{([A-Z0-9_]+)\}/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`Cannot expand "\${${name}}": the layers do not say what it is`);
    return expand(value, variables);
  });
}
