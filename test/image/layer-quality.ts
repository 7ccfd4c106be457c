// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';
import type { BitBake } from './bitbake.ts';
import { type KasBuild, REPOSITORY } from './kas-build.ts';

/** Our layers, as a distribution maker would be handed them. */
const LAYERS = ['recipes-agent', 'meta-lamadist', 'meta-lamadist/boards'] as const;

/** Whether BitBake refuses to build a release with development keys, and says which variable names them. */
export async function refusesDevelopmentKeys(bitbake: BitBake, build: KasBuild, keys: string): Promise<boolean> {
  await bitbake.configure(build, [], `LAMADIST_KEYS = "${keys}"\nLAMADIST_RELEASE = "1"`);
  const { ok, output } = await bitbake.run(['-e']);
  return !ok && output.includes(`Cannot build a release: it would be signed with development keys`) && output.includes('RAUC_KEY_FILE=');
}

/** Has yocto-check-layer judge each of our layers, with the layers of a board beside it. Returns its lines about them. */
export async function checkLayerQuality(bitbake: BitBake, build: KasBuild): Promise<{ ok: boolean; lines: string[] }> {
  const core = build.layers.filter(({ repo, folder }) => repo === 'poky' && folder === 'meta');
  const others = build.layers.filter((layer) => layer.repo !== 'lamadist' && !core.includes(layer));
  // It adds them itself, one after the other: the configuration it begins with has OpenEmbedded-core alone.
  await bitbake.configure({ ...build, layers: core, machine: 'qemux86-64', distro: 'nodistro' });
  const run = await bitbake.runTool([
    'yocto-check-layer',
    '--no-auto',
    '--no-auto-dependency',
    '--dependency',
    ...others.map((layer) => bitbake.layerFolder(layer)),
    '--',
    ...LAYERS.map((folder) => path.join(REPOSITORY, folder)),
  ]);
  return { ok: run.ok, lines: run.output.split('\n').filter((line) => /\.{3} (PASS|FAIL|SKIP)|^(ERROR|FAIL)|Traceback/.test(line)) };
}
