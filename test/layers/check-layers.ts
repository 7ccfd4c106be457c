// SPDX-License-Identifier: Apache-2.0
// Has BitBake look at the layers, without a download: npm run test:yocto -- --layers FOLDER [--work FOLDER] [--parts FOLDER]
//   [--board NAME]… [--target NAME]… [--only graphs|additions|quality|offline]…
// FOLDER holds the repositories of kas/main.kas.yml and kas/bsp at the commits of the lock file, each in a folder of its name.
//   graphs   parses everything for each board, compares what a user counts on, resolves every image and bundle to its tasks
//   additions  the same for x86_64 with everything that kas/ has to add, at once
//   quality  yocto-check-layer; a release refuses development keys
//   offline  what can be made of it with Debian's tools (meta-hosttools): signed RPMs and, of --parts, a disk and bundles
// As root and after `offline` with --parts, --boot boots BitBake's disk in a virtual machine and updates it with its bundle, and
// --install starts one with an empty disk from BitBake's installer, and --ipxe FILE one to which that iPXE brings it.
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BitBake } from './bitbake.ts';
import { bootDisk } from './boot-disk.ts';
import { bootInstaller, bootInstallerByIpxe } from './boot-installer.ts';
import { developmentKeys } from './development-keys.ts';
import { missingAdditions } from './expectations.ts';
import { boards, readAdditions, readKasBuild } from './kas-build.ts';
import { layOut } from './lay-out.ts';
import { checkLayerQuality, graphOfEverything, refusesDevelopmentKeys } from './layer-quality.ts';
import { makeOffline } from './make-offline.ts';
import { unpinnedLayers } from './pinned-layers.ts';
import { expectBoard, type Row, resolveTarget, targetsOf } from './resolve-board.ts';

const USAGE =
  'usage: npm run test:yocto -- --layers FOLDER [--work FOLDER] [--parts FOLDER] [--board NAME]… [--target NAME]… [--only PART]…\n';
const PARTS = ['graphs', 'additions', 'quality', 'offline'] as const;

/** Stays from one target to the next, with what it has parsed. */
const RESIDENT = 'BB_SERVER_TIMEOUT = "20"';

const say = (line: string) => process.stdout.write(`${line}\n`);

interface Options {
  readonly layers: string;
  readonly work: string;
  readonly parts: string | undefined;
  readonly boards: readonly string[];
  readonly targets: readonly string[] | undefined;
}

async function buildFolder(options: Options, name: string): Promise<BitBake> {
  const folder = path.join(options.work, name);
  await mkdir(folder, { recursive: true });
  return new BitBake(folder, options.layers);
}

function print(row: Row): void {
  const numbers = [row.recipes, row.tasks, row.warnings, row.seconds].map((number) => `${number}`.padStart(8));
  say([row.board.padEnd(9), row.target.padEnd(32), ...numbers, row.complaints.length === 0 ? 'ok' : 'FAILED'].join('  '));
  for (const complaint of row.complaints.slice(0, 20)) say(`  ${complaint}`);
}

/** Whether every image of every board is as it should be. */
async function graphs(options: Options): Promise<boolean> {
  const conf = `LAMADIST_KEYS = "${await developmentKeys(options.work)}"\n${RESIDENT}`;
  let good = true;
  say(['board'.padEnd(9), 'image'.padEnd(32), ...['recipes', 'tasks', 'warnings', 'seconds'].map((word) => word.padStart(8))].join('  '));
  const judge = (row: Row) => {
    print(row);
    if (row.complaints.length > 0) good = false;
  };
  for (const board of options.boards) {
    const bitbake = await buildFolder(options, board);
    await bitbake.configure(await readKasBuild(board), [], conf);
    for (const target of options.targets ?? targetsOf(board)) judge(await resolveTarget(bitbake, board, target));
    judge(await expectBoard(bitbake, board));
  }
  return good;
}

/** Whether what can be added to a build can be added together. */
async function additions(options: Options): Promise<boolean> {
  const bitbake = await buildFolder(options, 'additions');
  const conf = [`LAMADIST_KEYS = "${await developmentKeys(options.work)}"`, RESIDENT, await readAdditions()];
  await bitbake.configure(await readKasBuild('x86_64'), [], conf.join('\n'));
  let good = true;
  for (const image of ['lamadist-image-minimal', 'lamadist-image-homelab']) {
    const row = await resolveTarget(bitbake, 'x86_64+', image, missingAdditions);
    print(row);
    if (row.complaints.length > 0) good = false;
  }
  return good;
}

async function quality(options: Options): Promise<boolean> {
  const keys = await developmentKeys(options.work);
  const refused = await refusesDevelopmentKeys(await buildFolder(options, 'release'), await readKasBuild('x86_64'), keys);
  say(`a release with development keys: ${refused ? 'refused' : 'NOT REFUSED'}`);
  const board = await buildFolder(options, 'x86_64');
  await board.configure(await readKasBuild('x86_64'), [], `LAMADIST_KEYS = "${keys}"`);
  const graph = await graphOfEverything(board);
  const { ok, lines } = await checkLayerQuality(await buildFolder(options, 'quality'), await readKasBuild('x86_64'), graph);
  for (const line of lines) say(line);
  say(`yocto-check-layer: ${ok ? 'ok' : 'FAILED'}`);
  return ok && refused;
}

async function offline(options: Options): Promise<boolean> {
  const findings = await layOut(options.layers, say);
  for (const finding of findings) say(`  ${finding}`);
  const keys = await developmentKeys(options.work);
  const made = await makeOffline(await buildFolder(options, 'offline'), { keys, parts: options.parts, say });
  return made && findings.length === 0;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      layers: { type: 'string' },
      work: { type: 'string', default: path.join(homedir(), '.cache/lamadist/yocto') },
      parts: { type: 'string' },
      board: { type: 'string', multiple: true },
      target: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      boot: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
      ipxe: { type: 'string' },
    },
  });
  if (values.boot || values.install || values.ipxe !== undefined) {
    if (values.boot) await bootDisk(path.resolve(values.work), say);
    if (values.install) await bootInstaller(path.resolve(values.work), say);
    if (values.ipxe !== undefined) await bootInstallerByIpxe(path.resolve(values.work), path.resolve(values.ipxe), say);
    return 0;
  }
  const only = values.only ?? PARTS;
  if (values.layers === undefined || only.some((part) => !(PARTS as readonly string[]).includes(part))) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (process.getuid?.() === 0) {
    process.stderr.write('Cannot run BitBake: it refuses to work as root; run this as an ordinary user\n');
    return 1;
  }
  const options: Options = {
    layers: path.resolve(values.layers),
    work: path.resolve(values.work),
    parts: values.parts === undefined ? undefined : path.resolve(values.parts),
    boards: values.board ?? (await boards()),
    targets: values.target,
  };
  for (const line of await unpinnedLayers(options.layers)) say(line);
  const steps = { graphs, additions, quality, offline } as const;
  let good = true;
  for (const part of PARTS) if (only.includes(part) && !(await steps[part](options))) good = false;
  return good ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
