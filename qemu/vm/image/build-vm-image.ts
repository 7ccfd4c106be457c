// SPDX-License-Identifier: Apache-2.0
import { copyFile, cp, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../../cache/cached-folder.ts';
import { contentId } from '../../cache/content-id.ts';
import { run } from '../../host/command.ts';
import { type Say, timed } from '../../host/say.ts';
import { imageFiles, OS_RELEASE } from '../../image/image-files.ts';
import type { Image, ImageRecipe } from '../../image/image-recipe.ts';
import { packRoot, placeAll } from '../../image/pack-root.ts';
import type { ImageFile } from '../../image/product-files.ts';
import { inRoot, WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import { type Architecture, X86_64 } from '../architecture.ts';
import { kernelFile } from '../kernel-file.ts';
import { encryptionOf, layerVariables } from '../layers.ts';
import { vmRoots } from '../roots.ts';
import { layerCode, makers } from './makers.ts';
import { initramfs, kernelModules, selinuxPolicy, signingKeys } from './parts.ts';
import { buildUki, rootHash } from './uki.ts';
import { rootFiles } from './vm-files.ts';
import { rootUnits } from './vm-units.ts';

const HERE = import.meta.dirname;
/** About 250 MB each. */
const MOST_IMAGES = 10;
const SLOW_MS = 10 * 60_000;
/** What makes up an image; fallback.efi is the loader of a fresh disk. */
const KEPT = /^(rootfs\.img|verity\.img|esp\.img|root-hash|keys|lamadist-[ab]\.efi|fallback\.efi)$/;

/**
 * An image for a slot of the virtual machine: the folder `path` holds rootfs.img, verity.img and esp.img, and keys/, with which
 * it was signed. The same recipe and files give the same image, from the cache.
 */
export async function buildVmImage(recipe: ImageRecipe, say: Say, architecture = X86_64): Promise<Image> {
  const roots = await vmRoots(say, architecture);
  const { tools, parts } = roots;
  const variables = await layerVariables(architecture);
  const files = await imageFiles(recipe, roots.node, await rootFiles(encryptionOf(variables), architecture));
  const units = await rootUnits(variables);
  const [policy, modules] = [await selinuxPolicy(tools, say), await kernelModules(parts, architecture)];
  const [ramdisk, keys] = [await initramfs(parts, say, architecture), await signingKeys(tools, say)];
  const code = await layerCode();
  const { without = [], words = [] } = recipe;
  const inputs = [tools.id, parts.id, roots.node.id, architecture.efi, policy, modules, ramdisk, keys, JSON.stringify(variables)];
  const id = contentId([...inputs, ...units, 'without', ...without, 'words', ...words], [...files, ...(await makers(code))]);
  const folder = await cachedFolder('image', id, MOST_IMAGES, (target) =>
    timed(say, `Building image ${recipe.version} for the virtual machine`, async () => {
      const layers = [policy, modules, roots.node.base];
      await packRoot({ tools: tools.tools, layers, files, units, without, target: path.join(target, 'rootfs.img') });
      await run(inRoot(tools, target, verity(id)), { timeoutMs: SLOW_MS });
      await copyInputs(target, { parts, efi: architecture.efi, ramdisk, keys, code, osRelease: osReleaseOf(files) });
      const hash = await rootHash(target);
      for (const slot of ['a', 'b'] as const)
        await buildUki(tools, target, { slot, rootHash: hash, words }, { efi: architecture.efi, variables });
      await copyFile(path.join(HERE, 'esp.sh'), path.join(target, 'esp.sh'));
      const name = `BOOT${architecture.efi.toUpperCase()}.EFI`;
      await run(inRoot(tools, target, ['sh', `${WORK}/esp.sh`, WORK, variables.LAMADIST_ESP_MIB!, name]), { timeoutMs: SLOW_MS });
      await removeInputs(target);
    }),
  );
  return { version: recipe.version, path: folder };
}

function osReleaseOf(files: readonly ImageFile[]): string | Uint8Array {
  return files.find(({ path: name }) => name === OS_RELEASE)!.content;
}

/** The hash tree. Its salt and UUID are the image's own, so that no two images share a root hash. */
function verity(id: string): string[] {
  const uuid = `${id.slice(0, 8)}-0000-4000-8000-${id.slice(8, 20)}`;
  const names = [`--root-hash-file=${WORK}/root-hash`, `${WORK}/rootfs.img`, `${WORK}/verity.img`];
  return ['veritysetup', 'format', `--salt=${id.padStart(64, '0')}`, `--uuid=${uuid}`, ...names];
}

interface UkiInputs {
  readonly parts: Root;
  readonly efi: Architecture['efi'];
  readonly ramdisk: string;
  readonly keys: string;
  readonly code: readonly ImageFile[];
  readonly osRelease: string | Uint8Array;
}

async function copyInputs(folder: string, { parts, efi, ramdisk, keys, code, osRelease }: UkiInputs): Promise<void> {
  await copyFile(await kernelFile(parts), path.join(folder, 'vmlinuz'));
  const loaders = path.join(parts.tools, 'usr/lib/systemd/boot/efi');
  await copyFile(path.join(loaders, `linux${efi}.efi.stub`), path.join(folder, 'stub.efi'));
  await copyFile(path.join(loaders, `systemd-boot${efi}.efi`), path.join(folder, 'loader.efi'));
  await copyFile(ramdisk, path.join(folder, 'initramfs.zst'));
  await cp(keys, path.join(folder, 'keys'), { recursive: true, filter: (name) => !name.includes('gnupg') });
  await placeAll(path.join(folder, 'lib'), code);
  await writeFile(path.join(folder, 'os-release'), osRelease);
}

async function removeInputs(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (!KEPT.test(name)) await rm(path.join(folder, name), { recursive: true, force: true });
}
