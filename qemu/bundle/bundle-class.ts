// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { assignments, expand, type LayerVariables } from '../layers/bitbake-text.ts';
import { LAYER } from '../layers/layer-folders.ts';

const CLASS = path.join(LAYER, 'classes-recipe/lamadist-bundle.bbclass');

/** An image in a bundle. */
interface SlotImage {
  /** The class of the slots that it is for. */
  readonly slot: string;
  readonly filename: string;
  /** RAUC's adaptive method. */
  readonly adaptive: string;
}

/** What the layers' class says of the bundles of a machine. */
interface BundleClass {
  readonly compatible: string;
  readonly images: readonly SlotImage[];
  /** Arguments of mksquashfs. */
  readonly squashfs: string;
}

/** Reads it, for these values of BitBake's variables: MACHINE, and those whose default a machine does not take. */
export async function bundleClass(variables: LayerVariables): Promise<BundleClass> {
  const text = await readFile(CLASS, 'utf8');
  const said = (pattern: RegExp, what: string): string => {
    const [, value] = pattern.exec(text) ?? [];
    if (value === undefined) throw new Error(`Cannot pack a bundle as the layers do: ${CLASS} does not say ${what}`);
    return value;
  };
  const flag = (slot: string, name: string): string =>
    said(new RegExp(`^RAUC_SLOT_${slot}\\[${name}\\] = "([^"]*)"$`, 'm'), `RAUC_SLOT_${slot}[${name}]`);
  const assigned = (name: string): string => expand(`\${${name}}`, { ...assignments(text), ...variables });
  return {
    compatible: assigned('RAUC_BUNDLE_COMPATIBLE'),
    images: assigned('RAUC_BUNDLE_SLOTS')
      .split(' ')
      .map((slot) => ({ slot, filename: flag(slot, 'rename'), adaptive: flag(slot, 'adaptive') })),
    squashfs: said(/^BUNDLE_ARGS \+= '--mksquashfs-args="([^"]*)"'$/m, 'the arguments of mksquashfs in BUNDLE_ARGS'),
  };
}
