// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { AGENT_LAYER, LAYER } from './layer-folders.ts';

export interface Recipe {
  /** Without its version. */
  readonly name: string;
  readonly folder: string;
  readonly text: string;
}

/** All recipes of both layers. */
export async function layerRecipes(): Promise<Recipe[]> {
  const files = await Promise.all([AGENT_LAYER, LAYER].map(recipeFiles));
  return Promise.all(
    files.flat().map(async (file) => ({
      name: path.basename(file).replace(/(_[^_]*)?\.bb$/, ''),
      folder: path.dirname(file),
      text: await readFile(file, 'utf8'),
    })),
  );
}

async function recipeFiles(layer: string): Promise<string[]> {
  const names = await readdir(layer, { recursive: true });
  return names
    .filter((name) => name.endsWith('.bb'))
    .sort()
    .map((name) => path.join(layer, name));
}

/** Throws when there is none of this name. */
export function recipeNamed(name: string, recipes: readonly Recipe[]): Recipe {
  const found = recipes.find((recipe) => recipe.name === name);
  if (!found) throw new Error(`Cannot find the recipe ${name}: the layers have none of this name`);
  return found;
}
