// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BitBake } from './bitbake.ts';
import { type KasBuild, REPOSITORY } from './kas-build.ts';
import { masks, recipesForHost, recipesOfGraph } from './needed-recipes.ts';

/** Our layers, as a distribution maker would be handed them. */
const LAYERS = ['recipes-agent', 'meta-lamadist', 'meta-lamadist/boards'] as const;
/** Together they are made of every recipe that our layers name. */
const EVERYTHING = ['lamadist-image-dev', 'lamadist-image-installer', 'lamadist-bundle-dev', 'lamadist-bundle-dev-crypt'];

/** The lines of our distribution that say which recipes are asked for, and with which of their options. */
const TAKEN_OVER = /^(DISTRO_FEATURES:|INIT_MANAGER|PREFERRED_(?:PROVIDER|VERSION)_|BBMASK|PACKAGECONFIG)/;

/** What asks our layers to change recipes of others. */
const ASKS_FOR_OURS = /lamadist/;

/** What other distributions have in the place of a recipe of ours. */
const REPLACED = ['rauc-conf.bbappend'];
/** What no image of ours needs, and others of the world do: the tests of the compiler's libraries, and the tools that gettext installs. */
const OF_THE_WORLD = ['dejagnu', 'expect', 'help2man', 'm4', 'tcl'];

/** Whether BitBake refuses to build a release with development keys, and says which variable names them. */
export async function refusesDevelopmentKeys(bitbake: BitBake, build: KasBuild, keys: string): Promise<boolean> {
  await bitbake.configure(build, [], `LAMADIST_KEYS = "${keys}"\nLAMADIST_RELEASE = "1"`);
  const { ok, output } = await bitbake.run(['-e']);
  return !ok && output.includes(`Cannot build a release: it would be signed with development keys`) && output.includes('RAUC_KEY_FILE=');
}

/** The graph of the recipes that all of an image is made of. `bitbake` is configured for a board. */
export async function graphOfEverything(bitbake: BitBake): Promise<string> {
  const run = await bitbake.run(['-g', ...EVERYTHING]);
  if (!run.ok) throw new Error(`Cannot tell which recipes are needed: ${run.errors.join('; ')}`);
  return readFile(path.join(bitbake.folder, 'task-depends.dot'), 'utf8');
}

/**
 * Has yocto-check-layer judge each of our layers in a distribution that is not ours but has the features that ours asks for.
 * Beside them are the recipes of other layers that are needed: not all that those layers have can be built together, which
 * would be counted against ours. Returns its lines about them.
 */
export async function checkLayerQuality(bitbake: BitBake, build: KasBuild, graph: string): Promise<{ ok: boolean; lines: string[] }> {
  const others = build.layers.filter((layer) => layer.repo !== 'lamadist').map((layer) => bitbake.layerFolder(layer));
  const masked = await masks(others, recipesOfGraph(graph), [
    ...(await ourAppends()),
    ...REPLACED,
    ...OF_THE_WORLD.map((name) => `${name}_%.bbappend`),
  ]);
  // It adds the others itself, one after the other: the configuration it begins with has OpenEmbedded-core alone.
  const core = build.layers.filter(({ repo, folder }) => repo === 'poky' && folder === 'meta');
  const conf = await anotherDistribution(masked, [...recipesForHost(graph), ...OF_THE_WORLD]);
  await bitbake.configure({ ...build, layers: core, machine: 'qemux86-64', distro: 'nodistro' }, [], conf);
  const run = await bitbake.runTool([
    'yocto-check-layer',
    '--no-auto',
    '--no-auto-dependency',
    '--dependency',
    ...others.filter((folder) => !folder.endsWith('/poky/meta')),
    // A distribution with SELinux, whose policy stays as it is when it does not ask for the agent's domain.
    '--additional-layers',
    ...others.filter((folder) => path.basename(folder) === 'meta-selinux'),
    '--',
    ...LAYERS.map((folder) => path.join(REPOSITORY, folder)),
  ]);
  const lines = run.output.split('\n').filter((line) => /\.{3} (PASS|FAIL|SKIP)|^(ERROR|FAIL)|Traceback/.test(line));
  return { ok: run.ok, lines: run.ok ? lines : [...lines, ...run.output.split('\n').slice(-60)] };
}

/** The features that our recipes ask for: without them they would be skipped, and nothing of them would be judged. */
async function anotherDistribution(masked: readonly string[], forHost: readonly string[]): Promise<string> {
  const folder = path.join(REPOSITORY, 'meta-lamadist/conf/distro');
  const files = (await readdir(folder, { recursive: true })).filter((name) => /\.(conf|inc)$/.test(name)).sort();
  const ours = (await Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')))).join('\n');
  const features = ours.split('\n').filter((line) => TAKEN_OVER.test(line) && !ASKS_FOR_OURS.test(line));
  return [
    ...features,
    // Without the programs, the recipes of both would be skipped.
    `LAMADIST_BUNDLE_FOLDER = "${path.join(REPOSITORY, 'dist')}"`,
    'require conf/distro/include/security_flags.inc',
    // What an emulated PC asks for, and no board of ours: it was left out.
    'MACHINE_ESSENTIAL_EXTRA_RDEPENDS:remove = "v86d"',
    `BBMASK += " \\\n${masked.map((mask) => `  ${mask} \\\n`).join('')}"`,
    // Built for a target, as all of the world is, they would need what was left out.
    ...forHost.map((name) => `EXCLUDE_FROM_WORLD:pn-${name} = "1"`),
  ].join('\n');
}

async function ourAppends(): Promise<string[]> {
  const names = await Promise.all(
    LAYERS.map(async (layer) =>
      (await readdir(path.join(REPOSITORY, layer), { recursive: true })).filter((name) => name.endsWith('.bbappend')),
    ),
  );
  return names.flat();
}
