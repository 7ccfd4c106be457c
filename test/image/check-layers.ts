// SPDX-License-Identifier: Apache-2.0
// Has BitBake parse the layers of each board and resolve each image, without a download: npm run test:yocto -- --layers FOLDER
// FOLDER holds the repositories of kas/main.kas.yml and kas/bsp, each in a folder of its name.
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BitBake, type BitBakeRun } from './bitbake.ts';
import { boards, readKasBuild } from './kas-build.ts';

const TARGETS = ['minimal', 'homelab', 'dev'].flatMap((image) => [
  `lamadist-image-${image}`,
  `lamadist-bundle-${image}`,
  `lamadist-bundle-${image}-crypt`,
]);

interface Row {
  readonly board: string;
  readonly target: string;
  readonly recipes: number;
  readonly tasks: number;
  readonly run: BitBakeRun;
  readonly seconds: number;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

async function resolveTarget(bitbake: BitBake, board: string, target: string): Promise<Row> {
  const started = performance.now();
  const run = await bitbake.run(['-g', target]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const lines = async (file: string) => (run.ok ? (await readFile(path.join(bitbake.folder, file), 'utf8')).split('\n') : []);
  const recipes = (await lines('pn-buildlist')).filter((line) => line !== '').length;
  const tasks = new Set((await lines('task-depends.dot')).flatMap((line) => /^"([^"]+)"/.exec(line)?.[1] ?? [])).size;
  return { board, target, recipes, tasks, run, seconds };
}

function print({ board, target, recipes, tasks, run, seconds }: Row): void {
  const verdict = run.ok && run.warnings.length === 0 ? 'ok' : run.ok ? 'warned' : 'FAILED';
  const columns = [board.padEnd(9), target.padEnd(32), `${recipes}`.padStart(7), `${tasks}`.padStart(7), `${seconds}`.padStart(8), verdict];
  say(columns.join('  '));
  const complaints = [...new Set([...run.errors, ...run.warnings])];
  for (const line of complaints.slice(0, 20)) say(`  ${line}`);
  if (!run.ok && complaints.length === 0) say(run.output.slice(-2000));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      layers: { type: 'string' },
      work: { type: 'string', default: path.join(homedir(), '.cache/lamadist/yocto') },
      board: { type: 'string', multiple: true },
      target: { type: 'string', multiple: true },
    },
  });
  if (values.layers === undefined) {
    process.stderr.write('usage: check-layers --layers FOLDER [--work FOLDER] [--board NAME]… [--target NAME]…\n');
    return 2;
  }
  if (process.getuid?.() === 0) {
    process.stderr.write('Cannot run BitBake: it refuses to work as root; run this as an ordinary user\n');
    return 1;
  }
  say(`${'board'.padEnd(9)}  ${'target'.padEnd(32)}  recipes    tasks   seconds`);
  let failed = false;
  for (const board of values.board ?? (await boards())) {
    const folder = path.join(values.work, board);
    await mkdir(folder, { recursive: true });
    const bitbake = new BitBake(folder, path.resolve(values.layers));
    await bitbake.configure(await readKasBuild(board));
    for (const target of values.target ?? TARGETS) {
      const row = await resolveTarget(bitbake, board, target);
      print(row);
      if (!row.run.ok || row.run.warnings.length > 0) failed = true;
    }
  }
  return failed ? 1 : 0;
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
