// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { wordsOf } from './bitbake-text.ts';
import type { Recipe } from './recipe.ts';

/**
 * The units that a recipe has systemctl(1) preset enable: of those that it names, the ones that say what wants them.
 * Throws on one that is no file of the recipe.
 */
export async function enabledUnits({ name, folder, text }: Recipe): Promise<string[]> {
  if (/^SYSTEMD_AUTO_ENABLE(?::\$\{PN\})? \??= "disable"$/m.test(text)) return [];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: BitBake's
  const units = wordsOf(text, 'SYSTEMD_SERVICE:${PN}');
  const files = await readdir(folder, { recursive: true });
  const isEnabled = async (unit: string): Promise<boolean> => {
    const file = files.find((each) => path.basename(each) === unit);
    if (file === undefined) throw new Error(`Cannot tell whether ${name} enables ${unit}: it has no such file`);
    return /^\[Install\]$/m.test(await readFile(path.join(folder, file), 'utf8'));
  };
  const answers = await Promise.all(units.map(isEnabled));
  return units.filter((_, index) => answers[index]);
}
