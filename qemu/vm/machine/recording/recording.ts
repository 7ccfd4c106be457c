// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { contentId } from '../../../cache/content-id.ts';
import { run } from '../../../host/command.ts';
import type { VmFolder } from '../vm-folder.ts';
import { type Place, placesIn, type Replay, replayToLastFlush } from './write-log.ts';

const COPY_MS = 600_000;
/** What is replayed: the disk before, what was written to it, and what firmware and TPM had stored at each snapshot. */
const FILES = { before: 'recorded-before.img', log: 'recorded.log', snapshots: 'snapshots' } as const;
/** What is durable the moment it is written: the firmware's memory, and the TPM's, which is replaced as a whole. */
const IN_FLASH = ['vars.fd', 'tpm/tpm2-00.permall'];

/** A moment of a machine that is recorded: how much of the log of its disk there was, and a name for what firmware and TPM had stored. */
export interface Snapshot {
  readonly logBytes: number;
  readonly flash: string;
}

interface Flash {
  /** Names the content. */
  readonly id: string;
  readonly files: readonly { readonly path: string; readonly content: Buffer }[];
}

async function readFlash(folder: VmFolder): Promise<Flash> {
  const files = await Promise.all(
    IN_FLASH.map(async (name) => ({ path: path.basename(name), content: await readFile(folder.file(name)) })),
  );
  return { id: contentId([], files), files };
}

/** Keeps what the firmware and the TPM have stored by now, unless an earlier snapshot has the same. */
export async function takeSnapshot(folder: VmFolder): Promise<Snapshot> {
  let before = await readFlash(folder);
  for (;;) {
    const { size: logBytes } = await stat(folder.writeLog);
    const flash = await readFlash(folder);
    // With the log at this length this was stored only if it was before and afterwards.
    if (flash.id === before.id) {
      await keepFlash(folder, flash);
      return { logBytes, flash: flash.id };
    }
    before = flash;
  }
}

async function keepFlash(folder: VmFolder, { id, files }: Flash): Promise<void> {
  const target = folder.file(`${FILES.snapshots}/${id}`);
  if (existsSync(target)) return;
  await mkdir(target, { recursive: true });
  for (const each of files) await writeFile(path.join(target, each.path), each.content);
}

/**
 * Puts what was recorded since the machine, which is off now, was switched on into another folder of the same file system. Returns
 * what a power cut would lose at each place of the log of its disk.
 */
export async function keepRecording(folder: VmFolder, target: string): Promise<readonly Place[]> {
  await rename(folder.diskBefore, path.join(target, FILES.before));
  await rename(folder.writeLog, path.join(target, FILES.log));
  await rename(folder.file(FILES.snapshots), path.join(target, FILES.snapshots));
  return placesIn(path.join(target, FILES.log));
}

/**
 * Puts a machine, which is off, where the recorded one was at a snapshot, as a power cut in that moment would have left it; its
 * `logBytes` may be that of any other moment with the same `flash`. The recording is in the folder `source`.
 */
export async function replayRecording(folder: VmFolder, source: string, { logBytes, flash }: Snapshot): Promise<Replay> {
  await run(['cp', '--sparse=always', path.join(source, FILES.before), folder.disk], { timeoutMs: COPY_MS });
  const snapshot = path.join(source, FILES.snapshots, flash);
  for (const each of IN_FLASH) await copyFile(path.join(snapshot, path.basename(each)), folder.file(each));
  return replayToLastFlush(path.join(source, FILES.log), folder.disk, logBytes);
}
