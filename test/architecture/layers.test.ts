// SPDX-License-Identifier: Apache-2.0
// What can be known of the layers without BitBake. `npm run test:yocto` has BitBake itself look at them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { agentFiles, ENABLED_UNITS } from '../../qemu/image/product-files.ts';
import { boards, readKasBuild } from '../image/kas-build.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const RECIPE = 'recipes-agent/recipes-lamadist/lamadist-agent/lamadist-agent_0.1.0.bb';
/** Discoverable Partitions Specification. */
const GUIDS = {
  DM_VERITY_ROOT_GUID: { 'x86-64': '4f68bce3-e8cd-4db1-96e7-fbcaf984b709', aarch64: 'b921b045-1df0-41c3-af44-4c6f280d3fae' },
  DM_VERITY_RHASH_GUID: { 'x86-64': '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5', aarch64: 'df3300ce-d69f-4c92-978c-9bfb0f38d820' },
} as const;

const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');

/** The files below a folder, by their paths in the repository. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [path.relative(ROOT, path.join(entry.parentPath, entry.name))] : [])).sort();
}

const LAYER_FILES = (await Promise.all(['recipes-agent', 'meta-lamadist', 'kas', 'wks'].map(filesBelow))).flat();
const KAS_FILES = LAYER_FILES.filter((file) => file.startsWith('kas/'));
const WKS_FILES = LAYER_FILES.filter((file) => file.startsWith('wks/'));

describe('every file of the layers', () => {
  const licences = LAYER_FILES.filter((file) => file.endsWith('/COPYING'));

  it.each(LAYER_FILES.filter((file) => !licences.includes(file)))('%s says its licence in its first lines', async (file) => {
    expect((await text(file)).split('\n').slice(0, 3).join('\n')).toContain('SPDX-License-Identifier: Apache-2.0');
  });

  it.each(LAYER_FILES)('%s names no path of a machine', async (file) => {
    expect(await text(file)).not.toMatch(/(^|[\s"'=:(])\/(work|home|root|tmp|opt)\//m);
  });
});

describe("the agent's recipe", () => {
  it('fetches every folder of its files', async () => {
    const folders = await readdir(path.join(ROOT, path.dirname(RECIPE), 'files'));
    const recipe = await text(RECIPE);
    for (const folder of folders) expect(recipe).toMatch(new RegExp(`file://${folder}\\s`));
  });

  it('installs every file where the virtual node has it', async () => {
    const installed = installRules(await text(RECIPE));
    for (const file of await agentFiles()) {
      const name = path.basename(file.path);
      const rule = installed.find(({ pattern, target }) => target === path.dirname(file.path) && pattern.test(name));
      expect(rule, `${file.path} is not installed`).toBeDefined();
      expect(rule?.mode, file.path).toBe(file.mode ?? 0o644);
    }
  });

  it('leaves no file of its folder out of the virtual node', async () => {
    const all = await filesBelow(path.join(path.dirname(RECIPE), 'files'));
    const names = (await agentFiles()).map((file) => path.basename(file.path));
    expect(all.map((file) => path.basename(file)).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('enables the units that the virtual node enables', async () => {
    const [, list = ''] = /SYSTEMD_SERVICE:\$\{PN\} = "([^"]*)"/.exec(await text(RECIPE)) ?? [];
    expect(list.split(/[\s\\]+/)).toEqual(expect.arrayContaining([...ENABLED_UNITS]));
  });

  it('gives the user the number that sysusers gives it', async () => {
    const [, id] = /^u \S+ (\d+) /m.exec(await text(path.join(path.dirname(RECIPE), 'files/sysusers/lamadist-agent.conf'))) ?? [];
    expect(await text(RECIPE)).toContain(`--uid ${id} --gid lamadist-agent`);
  });
});

describe('every recipe', () => {
  const recipes = LAYER_FILES.filter((file) => /\.(bb|bbappend|inc)$/.test(file));

  it.each(recipes)('%s finds its files beside it, or in the layer of the boards', async (recipe) => {
    const wanted = [...(await text(recipe)).matchAll(/file:\/\/([\w.-]+)/g)].map((match) => match[1] ?? '');
    const name = path.basename(recipe).replace(/[._].*/, '');
    const local = await filesBelow(path.dirname(recipe));
    const boardFiles = LAYER_FILES.filter(
      (file) => file.startsWith('meta-lamadist/boards/') && file.includes(`/${path.basename(path.dirname(recipe))}/`),
    );
    for (const file of wanted.filter((found) => found !== '')) {
      const found = [...local, ...boardFiles].some((candidate) => candidate.split('/').includes(file));
      expect(found || file.startsWith('COMMON_LICENSE'), `${name}: ${file}`).toBe(true);
    }
  });

  it.each(recipes.filter((file) => file.endsWith('.bb')))('%s has a summary and a description', async (recipe) => {
    expect(await text(recipe)).toMatch(/^SUMMARY = "/m);
    expect(await text(recipe)).toMatch(/^DESCRIPTION = "/m);
  });
});

describe('kas', () => {
  it.each(KAS_FILES)('%s says its purpose in one line, and its format', async (file) => {
    const content = await text(file);
    expect(content.split('\n')[1]).toMatch(/^# purpose: .+/);
    expect((parse(content) as { header: { version: number } }).header.version).toBe(14);
  });

  it('pins every repository by commit, and no other', async () => {
    const lock = parse(await text('kas/main.kas.lock.yml')) as { overrides: { repos: Record<string, { commit: string }> } };
    const builds = await Promise.all((await boards()).map(readKasBuild));
    const named = new Set(builds.flatMap((build) => build.layers.map((layer) => layer.repo)));
    named.delete('lamadist');
    expect(Object.keys(lock.overrides.repos).sort()).toEqual([...named].sort());
    for (const { commit } of Object.values(lock.overrides.repos)) expect(commit).toMatch(/^[0-9a-f]{40}$/);
  });

  it('has a machine and a layout for every board that wic lays out', async () => {
    for (const board of await boards()) {
      const { machine } = await readKasBuild(board);
      const conf = await text(`meta-lamadist/boards/conf/machine/${machine}.conf`);
      if (conf.includes('LAMADIST_VERIFIED_BOOT = "0"')) continue;
      expect(conf).toContain(`WKS_FILE = "${board}.wks.in"`);
      expect(WKS_FILES).toContain(`wks/${board}.wks.in`);
    }
  });
});

describe('the disk layouts', () => {
  it('use the partition types of the Discoverable Partitions Specification', async () => {
    const boot = await text('meta-lamadist/conf/distro/include/lamadist-boot.inc');
    for (const [variable, byProcessor] of Object.entries(GUIDS))
      for (const [processor, guid] of Object.entries(byProcessor)) expect(boot).toContain(`${variable}:${processor} = "${guid}"`);
    expect(boot).toContain('LAMADIST_ESP_GUID = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"');
  });

  it.each(WKS_FILES)("%s has two slots alike, called as RAUC's configuration calls them", async (file) => {
    const partitions = [...(await text(file)).matchAll(/^part .*--part-name (\S+)(?: --part-type (\S+))?.* --fixed-size (\S+)/gm)];
    const shape = new Map(partitions.map(([, name = '', type, size]) => [name, `${type} ${size}`]));
    for (const part of ['esp-a', 'root-a', 'root-a-verity']) {
      expect(shape.get(part), part).toBeDefined();
      expect(shape.get(part.replace('-a', '-b'))).toBe(shape.get(part));
    }
  });

  it.each(WKS_FILES)('%s has no two raw regions over each other', async (file) => {
    const regions = [...(await text(file)).matchAll(/--offset (\d+)s --fixed-size (\d+)K/g)].map(([, start, kib]) => ({
      start: Number(start),
      end: Number(start) + Number(kib) * 2,
    }));
    regions.forEach((region, index) => {
      const next = regions[index + 1];
      if (next !== undefined) expect(region.end).toBeLessThanOrEqual(next.start);
    });
  });
});

interface InstallRule {
  readonly mode: number;
  readonly pattern: RegExp;
  readonly target: string;
}

const VARIABLES: Readonly<Record<string, string>> = {
  datadir: '/usr/share',
  libexecdir: '/usr/libexec',
  nonarch_libdir: '/usr/lib',
  sysconfdir: '/etc',
  systemd_system_unitdir: '/usr/lib/systemd/system',
  systemd_unitdir: '/usr/lib/systemd',
};

/** What the lines `install -m MODE ${FETCHED}/FOLDER/GLOB… ${D}TARGET` put where, with the paths of a merged /usr. */
function installRules(recipe: string): InstallRule[] {
  return [...recipe.matchAll(/install -m (\d+) (\$\{FETCHED\}\S+(?: \$\{FETCHED\}\S+)*) \$\{D\}(\S+)/g)].flatMap(
    ([, mode = '', sources = '', target = '']) =>
      sources.split(' ').map((source) => ({
        mode: Number.parseInt(mode, 8),
        pattern: new RegExp(`^${path.basename(source).replaceAll('.', '\\.').replaceAll('*', '.*')}$`),
        target: target.replace(/\$\{(\w+)\}/, (_, name: string) => VARIABLES[name] ?? name),
      })),
  );
}
