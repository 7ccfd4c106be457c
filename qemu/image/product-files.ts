// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { enabledUnits } from '../layers/enabled-units.ts';
import { AGENT_LAYER, LAYER } from '../layers/layer-folders.ts';
import { layerRecipes, recipeNamed } from '../layers/recipe.ts';

/** A file of an image, by its absolute path there. It belongs to root. */
export interface ImageFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** 0o644 unless it says otherwise. */
  readonly mode?: number;
}

const AGENT_FILES = path.join(AGENT_LAYER, 'recipes-lamadist/lamadist-agent/files');
const RAUC_FILES = path.join(LAYER, 'recipes-core/rauc/files');
const MACHINE_FILES = path.resolve(import.meta.dirname, '../namespace');

/** Where the agent's recipe puts each folder of its files. */
const PLACES = [
  { folder: 'systemd', ending: /\.(path|service|timer)$/, target: '/usr/lib/systemd/system', mode: 0o644 },
  { folder: 'systemd', ending: /^rauc-.*\.conf$/, target: '/usr/lib/systemd/system/rauc.service.d', mode: 0o644 },
  { folder: 'systemd', ending: /^journald-.*\.conf$/, target: '/usr/lib/systemd/journald.conf.d', mode: 0o644 },
  { folder: 'udev', ending: /\.rules$/, target: '/usr/lib/udev/rules.d', mode: 0o644 },
  { folder: 'dnssd', ending: /\.dnssd$/, target: '/usr/lib/systemd/dnssd', mode: 0o644 },
  { folder: 'dbus', ending: /\.conf$/, target: '/etc/dbus-1/system.d', mode: 0o644 },
  { folder: 'polkit', ending: /\.rules$/, target: '/usr/share/polkit-1/rules.d', mode: 0o644 },
  { folder: 'sysusers', ending: /\.conf$/, target: '/usr/lib/sysusers.d', mode: 0o644 },
  { folder: 'tmpfiles', ending: /\.conf$/, target: '/usr/lib/tmpfiles.d', mode: 0o644 },
  { folder: 'health.d', ending: /\.yaml$/, target: '/usr/lib/lamadist-agent/health.d', mode: 0o644 },
  { folder: 'libexec', ending: /./, target: '/usr/libexec/lamadist-agent', mode: 0o755 },
] as const;

/** The units that the agent's recipe enables. */
export async function agentUnits(): Promise<string[]> {
  return enabledUnits(recipeNamed('lamadist-agent', await layerRecipes()));
}

/** Everything that the agent's recipe installs beside the agent itself. */
export async function agentFiles(): Promise<ImageFile[]> {
  const places = PLACES.map(async ({ folder, ending, target, mode }) => {
    const names = await readdir(path.join(AGENT_FILES, folder));
    const wanted = names.filter((name) => ending.test(name));
    return Promise.all(
      wanted.map(async (name) => ({ path: `${target}/${name}`, content: await readFile(path.join(AGENT_FILES, folder, name)), mode })),
    );
  });
  return (await Promise.all(places)).flat();
}

/** RAUC's configuration for the node in namespaces, and the backend through which it reaches the boot loader. */
export async function namespaceMachineFiles(): Promise<ImageFile[]> {
  const parts = [path.join(RAUC_FILES, 'system.conf'), path.join(MACHINE_FILES, 'rauc-machine.conf')];
  const systemConf = await Promise.all(parts.map((file) => readFile(file, 'utf8')));
  return [
    { path: '/etc/rauc/system.conf', content: systemConf.join('').replaceAll('@ROOT_DEVICE@', '/dev/disk/by-partlabel/root-') },
    {
      path: '/usr/lib/lamadist/boot-loader-backend',
      content: await readFile(path.join(MACHINE_FILES, 'boot-loader-backend.sh')),
      mode: 0o755,
    },
  ];
}
