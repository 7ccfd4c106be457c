// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { STAGE_SCRIPT } from '../../image/pack-root.ts';
import type { ImageFile } from '../../image/product-files.ts';
import { LAYER } from '../../layers/layer-folders.ts';

const HERE = import.meta.dirname;
const PACK_ROOT = [STAGE_SCRIPT, path.join(path.dirname(STAGE_SCRIPT), 'pack-root.ts')];

/** The layer's Python code, which signs what PCR 11 will be, by its path below lib/. */
export function layerCode(lib = path.join(LAYER, 'lib')): Promise<ImageFile[]> {
  return filesBelow(lib, /\.py$/);
}

/** All that makes an image of its parts. A change of any of them makes another image: whatever is in this folder is among them. */
export async function makers(code: readonly ImageFile[]): Promise<readonly ImageFile[]> {
  const packing = PACK_ROOT.map(async (file) => ({ path: path.basename(file), content: await readFile(file) }));
  return [...(await filesBelow(HERE, /./)), ...(await Promise.all(packing)), ...code];
}

async function filesBelow(folder: string, name: RegExp): Promise<ImageFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && name.test(entry.name)).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(paths.sort().map(async (file) => ({ path: path.relative(folder, file), content: await readFile(file) })));
}
