// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { prepareRoot, type Root } from '../root/prepare-root.ts';
import { type Say, timed } from '../say.ts';
import { cachedImage, imageCacheDirectory, trimImageCache } from './image-cache.ts';
import { appendUki } from './image-uki.ts';
import { packRoot, STAGE_SCRIPT } from './pack-root.ts';
import { agentFiles, ENABLED_UNITS, type ImageFile, namespaceMachineFiles } from './product-files.ts';

export type { ImageFile } from './product-files.ts';

const AGENT_PATH = '/usr/lib/lamadist-agent/lamadist-agent.js';

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
  const files = await imageFiles(recipe, root);
  const id = await imageId(recipe, root, files);
  const cached = await cachedImage(id);
  if (cached) return { version: recipe.version, path: cached };
  const file = await timed(say, `Building image ${recipe.version}`, () => pack(recipe, root, files, id));
  await trimImageCache();
  return { version: recipe.version, path: file };
}

/** All files over the base root, a later one in the place of an earlier one. */
async function imageFiles(recipe: ImageRecipe, root: Root): Promise<readonly ImageFile[]> {
  const osRelease = await readFile(path.join(root.base, 'usr/lib/os-release'), 'utf8');
  const all: ImageFile[] = [
    { path: '/usr/lib/os-release', content: `${osRelease}IMAGE_ID=lamadist\nIMAGE_VERSION=${recipe.version}\n` },
    { path: AGENT_PATH, content: await readFile(recipe.agent) },
    ...(await agentFiles()),
    ...(await namespaceMachineFiles()),
    ...(recipe.files ?? []),
  ];
  return [...new Map(all.map((file) => [file.path, file])).values()];
}

async function imageId(recipe: ImageRecipe, root: Root, files: readonly ImageFile[]): Promise<string> {
  const hash = createHash('sha256')
    .update(root.id)
    .update(await readFile(STAGE_SCRIPT));
  hash.update(JSON.stringify(['with a UKI', ENABLED_UNITS, recipe.without ?? []]));
  for (const file of files) {
    hash.update(`\0${file.path}\0${file.mode ?? ''}\0`).update(createHash('sha256').update(file.content).digest());
  }
  return hash.digest('hex').slice(0, 24);
}

async function pack(recipe: ImageRecipe, root: Root, files: readonly ImageFile[], id: string): Promise<string> {
  const target = path.join(imageCacheDirectory(), `${id}.erofs`);
  await mkdir(imageCacheDirectory(), { recursive: true });
  const unfinished = path.join(imageCacheDirectory(), `${randomUUID()}.new`);
  const { without = [] } = recipe;
  await packRoot({ tools: root.tools, layers: [root.base], files, units: ENABLED_UNITS, without, target: unfinished });
  await appendUki(unfinished);
  await rename(unfinished, target);
  return target;
}
