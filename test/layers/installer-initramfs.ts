// SPDX-License-Identifier: Apache-2.0
import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../../qemu/cache/cached-folder.ts';
import { contentId } from '../../qemu/cache/content-id.ts';
import { run } from '../../qemu/host/command.ts';
import { placeAll } from '../../qemu/image/pack-root.ts';
import type { ImageFile } from '../../qemu/image/product-files.ts';
import { LAYER } from '../../qemu/layers/layer-folders.ts';
import { inRoot, WORK } from '../../qemu/root/in-root.ts';
import type { Root } from '../../qemu/root/prepare-root.ts';

const SLOW_MS = 15 * 60_000;
const SCRIPT = 'installer-initramfs.sh';
const UNITS = '/usr/lib/systemd/system';

/** What the recipe of the installer installs. */
async function installerFiles(): Promise<ImageFile[]> {
  const from = (name: string) => readFile(path.join(LAYER, 'recipes-installer/installer/files', name));
  return [
    { path: '/usr/libexec/lamadist/install', content: await from('lamadist-install'), mode: 0o755 },
    { path: `${UNITS}/lamadist-install.service`, content: await from('lamadist-install.service') },
    { path: `${UNITS}/lamadist-install.target`, content: await from('lamadist-install.target') },
  ];
}

/** The installer's initramfs, as a file: half a minute, until one of the layers' files in it changes. */
export async function installerInitramfs(tools: Root): Promise<string> {
  const files = await installerFiles();
  const script = path.join(import.meta.dirname, SCRIPT);
  const id = contentId([tools.id, await readFile(script, 'utf8')], files);
  const folder = await cachedFolder('installer', id, 2, async (target) => {
    await placeAll(path.join(target, 'tree'), files);
    await copyFile(script, path.join(target, SCRIPT));
    await run(inRoot(tools, target, ['sh', `${WORK}/${SCRIPT}`, `${WORK}/tree`, `${WORK}/initramfs.zst`]), { timeoutMs: SLOW_MS });
  });
  return path.join(folder, 'initramfs.zst');
}
