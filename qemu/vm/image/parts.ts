// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { cachedFolder } from '../../cache/cached-folder.ts';
import { contentId } from '../../cache/content-id.ts';
import { run } from '../../host/command.ts';
import { type Say, timed } from '../../host/say.ts';
import { placeAll } from '../../image/pack-root.ts';
import { LAYER } from '../../layers/layer-folders.ts';
import type { Link } from '../../layers/recipe-lines.ts';
import { inRoot, WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import { type Architecture, X86_64 } from '../architecture.ts';
import { encryptionOf, layerVariables } from '../layers.ts';
import { initramfsFiles, KERNEL_MODULES, policyFiles } from './vm-files.ts';
import { initramfsLinks } from './vm-units.ts';

const HERE = import.meta.dirname;
const SLOW_MS = 15 * 60_000;

/** A script of this folder, run in the tools' root on a folder of the host. */
async function runScript(tools: Root, folder: string, script: string, args: readonly string[]): Promise<void> {
  await copyFile(path.join(HERE, script), path.join(folder, script));
  await run(inRoot(tools, folder, ['sh', `${WORK}/${script}`, ...args]), { timeoutMs: SLOW_MS });
}

const textOf = (script: string): Promise<string> => readFile(path.join(HERE, script), 'utf8');

/** The modules of the kernel that the image carries, as a tree. */
export async function kernelModules(parts: Root, { kernelModules: own }: Architecture): Promise<string> {
  const modules = [...KERNEL_MODULES, ...own];
  const id = contentId([parts.id, await textOf('kernel.sh'), ...modules]);
  const folder = await cachedFolder('kernel', id, 2, (target) => runScript(parts, target, 'kernel.sh', [`${WORK}/tree`, ...modules]));
  return path.join(folder, 'tree');
}

/** SELinux's policy with the layers' modules in it, as a tree: a minute, until one of them changes. */
export async function selinuxPolicy(tools: Root, say: Say): Promise<string> {
  const files = await policyFiles();
  const id = contentId([tools.id, await textOf('policy.sh')], files);
  const folder = await cachedFolder('policy', id, 3, (target) =>
    timed(say, "Building SELinux's policy", async () => {
      await placeAll(path.join(target, 'modules'), files);
      await runScript(tools, target, 'policy.sh', [`${WORK}/modules`, `${WORK}/tree`]);
    }),
  );
  return path.join(folder, 'tree');
}

/** The initramfs, as a file: half a minute, until one of the layers' files in it changes. */
export async function initramfs(parts: Root, say: Say, architecture = X86_64): Promise<string> {
  const variables = await layerVariables(architecture);
  const [files, links] = [await initramfsFiles(encryptionOf(variables)), await initramfsLinks(variables)];
  const { kernelModules: own } = architecture;
  const enabled = links.map(({ path: place, to }) => `${place} -> ${to}`);
  const id = contentId([parts.id, await textOf('initramfs.sh'), ...own, ...enabled], files);
  const folder = await cachedFolder('initramfs', id, 3, (target) =>
    timed(say, 'Building the initramfs', async () => {
      await placeAll(path.join(target, 'tree'), files);
      await placeLinks(path.join(target, 'tree'), links);
      await runScript(parts, target, 'initramfs.sh', [`${WORK}/tree`, `${WORK}/initramfs.zst`, ...own]);
    }),
  );
  return path.join(folder, 'initramfs.zst');
}

async function placeLinks(tree: string, links: readonly Link[]): Promise<void> {
  for (const { path: place, to } of links) {
    await mkdir(path.dirname(path.join(tree, place)), { recursive: true, mode: 0o755 });
    await symlink(to, path.join(tree, place));
  }
}

/** The keys that UKIs and their policies are signed with, as a development build of the layers makes them: a folder. */
export async function signingKeys(tools: Root, say: Say): Promise<string> {
  const script = path.join(LAYER, 'scripts/make-development-keys');
  const id = contentId([tools.id, await readFile(script, 'utf8')]);
  const folder = await cachedFolder('keys', id, 2, (target) =>
    timed(say, 'Making keys', async () => {
      await mkdir(target, { recursive: true });
      await copyFile(script, path.join(target, 'make-development-keys'));
      await run(inRoot(tools, target, ['sh', `${WORK}/make-development-keys`, `${WORK}/keys`]), { timeoutMs: SLOW_MS });
    }),
  );
  return path.join(folder, 'keys');
}
