// SPDX-License-Identifier: Apache-2.0
import { assignments, type LayerVariables, wordsOf } from './bitbake-text.ts';
import { layerRecipes, type Recipe, recipeNamed } from './recipe.ts';

/** What every image has. */
const IMAGE = 'lamadist-image-minimal';
const INITRAMFS = 'lamadist-initramfs';
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: BitBake's
/** What a package needs on every board, and on a PC. */
const NEEDED = ['RDEPENDS:${PN}', 'RDEPENDS:${PN}:append:x86-64'];
const PROVIDED = 'RPROVIDES:${PN}';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: BitBake's

/** The layers' own recipes of which every image of a PC has a package. */
export async function imageRecipes(variables: LayerVariables): Promise<Recipe[]> {
  const recipes = await layerRecipes();
  const named = wordsOf(recipeNamed(IMAGE, recipes).text, 'IMAGE_INSTALL', variables);
  const members = ofPackages(named, recipes).flatMap(({ text }) =>
    NEEDED.flatMap((list) => wordsOf(text, list, { ...assignments(text), ...variables })),
  );
  return ofPackages([...named, ...members], recipes);
}

/** Those of which the initramfs has one. */
export async function initramfsRecipes(variables: LayerVariables): Promise<Recipe[]> {
  const recipes = await layerRecipes();
  return ofPackages(wordsOf(recipeNamed(INITRAMFS, recipes).text, 'PACKAGE_INSTALL', variables), recipes);
}

function ofPackages(packages: readonly string[], recipes: readonly Recipe[]): Recipe[] {
  return recipes.filter(({ name, text }) =>
    [name, `${name}-initramfs`, ...wordsOf(text, PROVIDED)].some((each) => packages.includes(each)),
  );
}
