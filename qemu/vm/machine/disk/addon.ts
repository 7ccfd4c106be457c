// SPDX-License-Identifier: Apache-2.0
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../host/command.ts';
import { LAYER } from '../../../layers/layer-folders.ts';
import { inRoot, WORK } from '../../../root/in-root.ts';
import type { Root } from '../../../root/prepare-root.ts';
import type { Architecture } from '../../architecture.ts';
import { namedPartition } from '../../image/layout.ts';
import type { VmFolder } from '../vm-folder.ts';

const QUICK_MS = 120_000;
const SCRIPT = 'make-addon';
/** In the machine's folder. */
export const ADDON = 'node.addon.efi';

export interface AddonContent {
  /** Separated by spaces. */
  readonly commandLine: string;
  /** The folder of the image: its key signs. */
  readonly imageFolder: string;
  /** true unless it says otherwise. */
  readonly isSigned?: boolean;
}

/** Makes the node's own addon, and puts it where the stubs of slot A look for it, on the disk of a machine that is off. */
export async function placeAddon(tools: Root, folder: VmFolder, content: AddonContent, architecture: Architecture): Promise<void> {
  await makeAddon(tools, folder, content, architecture);
  const { offsetBytes } = await namedPartition('esp-a', architecture);
  const disk = `${WORK}/disk.img@@${offsetBytes}`;
  const place = 'mmd -D s -i "$1" ::/loader/addons; mcopy -o -i "$1" "$2" ::/loader/addons/';
  await run(inRoot(tools, folder.path, ['sh', '-c', place, 'sh', disk, `${WORK}/${ADDON}`]), { timeoutMs: QUICK_MS });
}

/** Runs the layer's script. */
async function makeAddon(tools: Root, folder: VmFolder, content: AddonContent, { efi }: Architecture): Promise<void> {
  const inTools = (command: readonly string[]) => run(inRoot(tools, folder.path, command), { timeoutMs: QUICK_MS });
  await copyFile(path.join(LAYER, 'scripts', SCRIPT), folder.file(SCRIPT));
  for (const name of ['secure-boot.key', 'secure-boot.crt'])
    await copyFile(path.join(content.imageFolder, 'keys', name), folder.file(name));
  const words = content.commandLine.split(' ').flatMap((word) => ['--word', word]);
  const keys = ['--key', `${WORK}/secure-boot.key`, '--cert', `${WORK}/secure-boot.crt`];
  await inTools(['sh', `${WORK}/${SCRIPT}`, ...keys, '--efi-arch', efi, ...words, `${WORK}/${ADDON}`]);
  if (content.isSigned === false) await inTools(['sbattach', '--remove', `${WORK}/${ADDON}`]);
}
