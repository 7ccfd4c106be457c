// SPDX-License-Identifier: Apache-2.0
import type { LayerVariables } from '../../layers/bitbake-text.ts';
import { enabledUnits } from '../../layers/enabled-units.ts';
import { imageRecipes, initramfsRecipes } from '../../layers/image-recipes.ts';
import { type Link, linksOf } from '../../layers/recipe-lines.ts';

/** Units that no recipe of the layers enables: systemd's own recipe does, and Debian's package does not. */
const SYSTEMD_UNITS = ['systemd-networkd.service', 'systemd-network-generator.service'];

/** What is enabled in the root: what the layers' recipes enable, and those. */
export async function rootUnits(variables: LayerVariables): Promise<string[]> {
  const units = (await imageRecipes(variables)).map(enabledUnits);
  return [...(await Promise.all(units)).flat(), ...SYSTEMD_UNITS];
}

/** What is enabled in the initramfs: its recipes link it by themselves. */
export async function initramfsLinks(variables: LayerVariables): Promise<Link[]> {
  return (await initramfsRecipes(variables)).flatMap(({ text }) => linksOf(text));
}
