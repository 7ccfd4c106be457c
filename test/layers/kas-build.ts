// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';

export const REPOSITORY = path.resolve(import.meta.dirname, '../..');
const KAS = path.join(REPOSITORY, 'kas');

/** A layer of a build: the repository that it is part of, as kas names it, and its folder in there ("." for the whole). */
export interface Layer {
  readonly repo: string;
  readonly folder: string;
}

/** What a board's kas files say, without those that add to it. */
export interface KasBuild {
  readonly board: string;
  readonly machine: string;
  readonly distro: string;
  readonly targets: readonly string[];
  readonly layers: readonly Layer[];
  /** Names that reach BitBake from the environment. */
  readonly fromEnvironment: readonly string[];
  /** Lines for local.conf. */
  readonly localConf: string;
}

interface KasFile {
  readonly header?: { readonly includes?: readonly string[] };
  readonly env?: Record<string, string | null>;
  readonly target?: readonly string[];
  readonly machine?: string;
  readonly distro?: string;
  readonly local_conf_header?: Record<string, string>;
  readonly repos?: Record<string, { readonly layers?: Record<string, unknown> } | null>;
}

/** The boards that have a file in kas/bsp. */
export async function boards(): Promise<string[]> {
  const names = await readdir(path.join(KAS, 'bsp'));
  return names.flatMap((name) => (name.endsWith('.kas.yml') ? [name.slice(0, -'.kas.yml'.length)] : [])).sort();
}

export async function readKasBuild(board: string): Promise<KasBuild> {
  const files = await Promise.all(['main.kas.yml', `bsp/${board}.kas.yml`].map(readKasFile));
  const [main, bsp] = files as [KasFile, KasFile];
  if (bsp.machine === undefined || main.distro === undefined) throw new Error(`kas: no machine or no distro for "${board}"`);
  const targets = bsp.target ?? main.target ?? [];
  const included = await Promise.all((main.header?.includes ?? []).map((name) => readKasFile(path.relative('kas', name))));
  const localConf = [...included, ...files].flatMap(linesOf).join('\n');
  const fromEnvironment = Object.keys(main.env ?? {});
  return { board, machine: bsp.machine, distro: main.distro, targets, layers: files.flatMap(layersOf), fromEnvironment, localConf };
}

/** What every file that can be added to a build says to local.conf, all of them at once. */
export async function readAdditions(): Promise<string> {
  const folders = ['extras', 'extras/profiles', 'scanners'];
  const names = await Promise.all(
    folders.map(async (folder) => (await readdir(path.join(KAS, folder))).map((name) => path.join(folder, name))),
  );
  const files = names.flat().filter((name) => name.endsWith('.kas.yml'));
  const headers = await Promise.all(files.sort().map(async (name) => linesOf(await readKasFile(name))));
  return headers.flat().join('\n');
}

async function readKasFile(name: string): Promise<KasFile> {
  return parse(await readFile(path.join(KAS, name), 'utf8')) as KasFile;
}

function linesOf(file: KasFile): string[] {
  return Object.values(file.local_conf_header ?? {});
}

function layersOf(file: KasFile): Layer[] {
  return Object.entries(file.repos ?? {}).flatMap(([repo, description]) =>
    Object.keys(description?.layers ?? { '.': null }).map((folder) => ({ repo, folder })),
  );
}
