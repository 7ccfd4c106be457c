// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../cache/cached-folder.ts';
import { contentId } from '../cache/content-id.ts';
import { type Say, timed } from '../host/say.ts';
import { prepareRoot } from '../root/prepare-root.ts';
import { imageFiles } from './image-files.ts';
import type { Image, ImageRecipe } from './image-recipe.ts';
import { appendUki } from './image-uki.ts';
import { packRoot, STAGE_SCRIPT } from './pack-root.ts';
import { agentFiles, agentUnits, namespaceMachineFiles } from './product-files.ts';

/** About 100 MB each. */
const MOST_IMAGES = 12;

/** An image for a slot of the node in namespaces. The same recipe and files give the same image, from the cache. */
export async function buildImage(recipe: ImageRecipe, say: Say): Promise<Image> {
  const root = await prepareRoot(say);
  const files = await imageFiles(recipe, root, [...(await agentFiles()), ...(await namespaceMachineFiles())]);
  const units = await agentUnits();
  const { version, without = [] } = recipe;
  const id = contentId([root.id, await readFile(STAGE_SCRIPT, 'utf8'), 'with a UKI', ...units, 'without', ...without], files);
  // As its folder: what is made of it is called by its name.
  const name = `${id}.erofs`;
  const folder = await cachedFolder('namespace-image', id, MOST_IMAGES, (made) =>
    timed(say, `Building image ${version}`, async () => {
      const target = path.join(made, name);
      await packRoot({ tools: root.tools, layers: [root.base], files, units, without, target });
      await appendUki(target);
    }),
  );
  return { version, path: path.join(folder, name) };
}
