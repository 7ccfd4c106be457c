// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Root } from '../root/prepare-root.ts';
import type { ImageRecipe } from './image-recipe.ts';
import type { ImageFile } from './product-files.ts';

export const OS_RELEASE = '/usr/lib/os-release';
const AGENT_PATH = '/usr/lib/lamadist-agent/lamadist-agent.js';

/**
 * All files over the base of an image: its version, the agent, what every image of this kind of node has, and the recipe's own.
 * A later one is in the place of an earlier one.
 */
export async function imageFiles(recipe: ImageRecipe, { base }: Root, everyImage: readonly ImageFile[]): Promise<readonly ImageFile[]> {
  const osRelease = await readFile(path.join(base, OS_RELEASE), 'utf8');
  const all: ImageFile[] = [
    { path: OS_RELEASE, content: `${osRelease}IMAGE_ID=lamadist\nIMAGE_VERSION=${recipe.version}\n` },
    { path: AGENT_PATH, content: await readFile(recipe.agent) },
    ...everyImage,
    ...(recipe.files ?? []),
  ];
  return [...new Map(all.map((file) => [file.path, file])).values()];
}
