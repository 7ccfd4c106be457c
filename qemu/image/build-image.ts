// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../cache/cached-folder.ts';
import { contentId } from '../cache/content-id.ts';
import { type Say, timed } from '../host/say.ts';
import { prepareRoot } from '../root/prepare-root.ts';
import { imageFiles } from './image-files.ts';
import { appendUki } from './image-uki.ts';
import { packRoot, STAGE_SCRIPT } from './pack-root.ts';
import { agentFiles, agentUnits, type ImageFile, namespaceMachineFiles } from './product-files.ts';

export type { ImageFile } from './product-files.ts';

/** About 100 MB each. */
const MOST_IMAGES = 12;

export interface ImageRecipe {
  /** IMAGE_VERSION of os-release. */
  readonly version: string;
  /** The agent's bundle on this machine, for example dist/lamadist-agent.js. */
  readonly agent: string;
  /** Files to add or to replace, for variants: a failing check, a shorter deadline. */
  readonly files?: readonly ImageFile[];
  /** Absolute paths to leave out. */
  readonly without?: readonly string[];
  /** Words at the end of the kernel's command line, where the node has a kernel of its own. */
  readonly words?: readonly string[];
}

export interface Image {
  readonly version: string;
  /** An EROFS on this machine, kept in a cache: read it, do not write to it. */
  readonly path: string;
}

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
