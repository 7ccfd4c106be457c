// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BitBake } from './bitbake.ts';
import { disappointments, EXPECTED_OF, readVariables, recipeDisappointments } from './expectations.ts';
import { kernelDisappointments } from './kernel-version.ts';

const IMAGES = ['minimal', 'homelab', 'dev'].flatMap((image) => [
  `lamadist-image-${image}`,
  `lamadist-bundle-${image}`,
  `lamadist-bundle-${image}-crypt`,
]);
/** The installer is for machines that boot a removable medium; lamactl for an SDK is the same for every board. */
const FURTHER: Readonly<Record<string, readonly string[]>> = { x86_64: ['lamadist-image-installer', 'nativesdk-lamactl'] };

/** What BitBake said about one target on one board. */
export interface Row {
  readonly board: string;
  readonly target: string;
  readonly recipes: number;
  readonly tasks: number;
  readonly warnings: number;
  readonly seconds: number;
  /** Nothing, when all is well. */
  readonly complaints: readonly string[];
}

export function targetsOf(board: string): readonly string[] {
  return [...IMAGES, ...(FURTHER[board] ?? [])];
}

/** Has BitBake work out all that a target is made of, down to every task; `judge` says what is wrong with its recipes. */
export async function resolveTarget(bitbake: BitBake, board: string, target: string, judge = recipeDisappointments): Promise<Row> {
  const started = performance.now();
  const run = await bitbake.run(['-g', target]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const made = (file: string) => (run.ok ? readFile(path.join(bitbake.folder, file), 'utf8') : '');
  const recipes = (await made('pn-buildlist')).split('\n').filter((line) => line !== '');
  const graph = await made('task-depends.dot');
  const tasks = new Set(graph.split('\n').flatMap((line) => /^"([^"]+)"/.exec(line)?.[1] ?? []));
  const said = [...new Set([...run.errors, ...run.warnings])];
  const silent = !run.ok && said.length === 0 ? [run.output.slice(-2000)] : [];
  const complaints = [...said, ...silent, ...(run.ok ? [...judge(target, recipes, board), ...(await kernelDisappointments(graph))] : [])];
  return { board, target, recipes: recipes.length, tasks: tasks.size, warnings: run.warnings.length, seconds, complaints };
}

/** Has BitBake print every variable of the image, and compares what a user counts on. */
export async function expectBoard(bitbake: BitBake, board: string): Promise<Row> {
  const started = performance.now();
  const run = await bitbake.run(['-e', EXPECTED_OF]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const variables = readVariables(run.output);
  const complaints = run.ok ? disappointments(board, variables) : run.errors;
  return { board, target: `bitbake -e ${EXPECTED_OF}`, recipes: 0, tasks: 0, warnings: run.warnings.length, seconds, complaints };
}
