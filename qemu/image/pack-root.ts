// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../host/command.ts';
import { withPrivateMounts } from '../host/private-mounts.ts';
import type { ImageFile } from './product-files.ts';

export const STAGE_SCRIPT = path.join(import.meta.dirname, 'stage.sh');

export interface RootContent {
  /** The root whose mkfs.erofs and systemctl are used. */
  readonly tools: string;
  /** Folders, an earlier one over a later one; read only. */
  readonly layers: readonly string[];
  /** Over all layers. */
  readonly files: readonly ImageFile[];
  /** Units to enable. */
  readonly units: readonly string[];
  /** Absolute paths to leave out. */
  readonly without: readonly string[];
  /** Where to write the EROFS. */
  readonly target: string;
}

/** Packs a root file system: a second or two. */
export async function packRoot({ tools, layers, files, units, without, target }: RootContent): Promise<void> {
  const tree = await mkdtemp(path.join(tmpdir(), 'lamadist-tree-'));
  try {
    await placeAll(tree, files);
    const stage = ['sh', STAGE_SCRIPT, tools, [tree, ...layers].join(':'), target, units.join(',')] as const;
    await run(withPrivateMounts([...stage, ...without]), { timeoutMs: 300_000 });
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** Writes the files below a folder, which becomes readable by everybody. */
export async function placeAll(tree: string, files: readonly ImageFile[]): Promise<void> {
  await mkdir(tree, { recursive: true });
  await chmod(tree, 0o755);
  for (const file of files) {
    const target = path.join(tree, file.path);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, file.content);
    await chmod(target, file.mode ?? 0o644);
  }
}
