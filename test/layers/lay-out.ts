// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { expandLayout, plannedPartitions, readPartitions } from './disk-layout.ts';
import { REPOSITORY } from './kas-build.ts';

const WIC_MS = 10 * 60_000;
/** What stands for what a build makes; a layout is about places, not about content. */
const PAYLOAD_BYTES = 300_000;
const PAYLOADS = ['idbloader.img', 'u-boot.itb', 'image.esp.vfat', 'image.erofs-lz4hc.verity', 'image.erofs-lz4hc.vhash'];

/** Has wic itself, of the layers' poky, lay out the disk of every file of wks/, and reads it back. Returns what is wrong. */
export async function layOut(layersFolder: string, say: (line: string) => void): Promise<string[]> {
  const findings: string[] = [];
  for (const file of (await readdir(path.join(REPOSITORY, 'wks'))).sort()) {
    const board = file.replace('.wks.in', '');
    const scratch = await mkdtemp(path.join(tmpdir(), 'lamadist-wic-'));
    try {
      const disk = await layOutBoard(layersFolder, scratch, board);
      const planned = plannedPartitions(await layoutText(board), await layoutVariables(board, scratch));
      const found = await readPartitions(disk);
      const wrong = planned.filter((want, index) => JSON.stringify(want) !== JSON.stringify(found[index]));
      for (const part of wrong) findings.push(`${board}: ${part.name} is not where wks/ has it, or not what: ${JSON.stringify(found)}`);
      if (found.length !== planned.length) findings.push(`${board}: ${found.length} partitions and not ${planned.length}`);
      say(`${board.padEnd(9)}  laid out by wic: ${found.length} partitions  ${wrong.length === 0 ? 'ok' : 'FAILED'}`);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return findings;
}

async function layOutBoard(layersFolder: string, scratch: string, board: string): Promise<string> {
  for (const name of PAYLOADS) await writeFile(path.join(scratch, name), Buffer.alloc(PAYLOAD_BYTES, 1));
  const variables = await layoutVariables(board, scratch);
  const layout = path.join(scratch, `${board}.wks`);
  await writeFile(layout, expandLayout(await layoutText(board), variables));
  // Its tools are the host's.
  const folders = ['DEPLOY_DIR_IMAGE', 'IMAGE_ROOTFS', 'STAGING_DATADIR', 'STAGING_DIR', 'HOSTTOOLS_DIR'];
  const lines = Object.entries({
    ...variables,
    ...Object.fromEntries(folders.map((name) => [name, scratch])),
    TARGET_SYS: 'none',
    RECIPE_SYSROOT_NATIVE: '/',
  });
  await writeFile(path.join(scratch, 'image.env'), lines.map(([name, value]) => `${name}="${value}"\n`).join(''));

  const out = path.join(scratch, 'out');
  await mkdir(out);
  const wic = ['create', layout, '--vars', scratch, '--image-name', 'image', '--outdir', out, '--workdir', path.join(scratch, 'work')];
  await execa(path.join(layersFolder, 'poky/scripts/wic'), wic, {
    cwd: scratch,
    timeout: WIC_MS,
    all: true,
    env: { BUILDDIR: scratch, LC_ALL: 'en_US.UTF-8', PATH: `${layersFolder}/poky/bitbake/bin:${process.env.PATH}:/usr/sbin:/sbin` },
  });
  const made = (await readdir(out)).find((name) => name.endsWith('.direct'));
  if (made === undefined) throw new Error(`Cannot lay out the disk of "${board}": wic made no image`);
  return path.join(out, made);
}

const layoutText = (board: string) => readFile(path.join(REPOSITORY, 'wks', `${board}.wks.in`), 'utf8');

/** What the distribution says of sizes and types for the board's processor, and the names of the payloads. */
export async function layoutVariables(board: string, folder: string): Promise<Record<string, string>> {
  const conf = await readFile(path.join(REPOSITORY, 'meta-lamadist/conf/distro/include/lamadist-boot.inc'), 'utf8');
  const processor = board === 'x86_64' ? 'x86-64' : 'aarch64';
  const said = [...conf.matchAll(/^(\w+)(?::([\w-]+))? \??= "(.*)"$/gm)].filter(([, , of]) => of === undefined || of === processor);
  const names = { IMGDEPLOYDIR: folder, IMAGE_LINK_NAME: 'image', SPL_BINARY: 'idbloader.img', UBOOT_SUFFIX: 'itb' };
  return { ...Object.fromEntries(said.map(([, name = '', , value = '']) => [name, value])), ...names };
}
