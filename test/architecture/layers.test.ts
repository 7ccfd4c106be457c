// SPDX-License-Identifier: Apache-2.0
// What can be known of the layers without BitBake. `npm run test:yocto` has BitBake itself look at them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { agentFiles, ENABLED_UNITS } from '../../qemu/image/product-files.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const RECIPE = 'recipes-agent/recipes-lamadist/lamadist-agent/lamadist-agent_0.1.0.bb';
/** What `npm run build` makes in the folder that LAMADIST_BUNDLE_FOLDER names. */
const BUILT = ['share'];
/** A recipe may install a file by another name. */
const INSTALLED_AS: Readonly<Record<string, string>> = { '/usr/libexec/lamadist/install': 'lamadist-install' };
/** Programs of packages that the recipes depend on. */
const OTHERS_PROGRAMS = ['/usr/bin/node', '/usr/bin/systemd-repart', '/bin/mkdir', '/usr/bin/sleep'];

/** Layers of every build: the distribution's own with its boards, what an addition needs, and what comes with another. */
const NOT_DEPENDED_ON = [
  'lamadist/meta-lamadist',
  'lamadist/meta-lamadist/boards',
  'meta-openembedded/meta-perl',
  'meta-secure-core/meta-secure-core-common',
];

const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');

/** The files below a folder, by their paths in the repository. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [path.relative(ROOT, path.join(entry.parentPath, entry.name))] : [])).sort();
}

const LAYER_FILES = (await Promise.all(['recipes-agent', 'meta-lamadist', 'kas', 'wks'].map(filesBelow))).flat();

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

describe("lamactl's recipe", () => {
  it('packages its manual pages, and the completion of each shell', async () => {
    const recipe = await text('recipes-agent/recipes-lamadist/lamactl/lamactl_0.1.0.bb');
    // The pages go where every recipe's go.
    for (const folder of (await readdir(path.join(ROOT, 'dist/share'))).filter((name) => name !== 'man'))
      expect(recipe).toContain(`= "\${datadir}/${folder}"`);
    expect(await readdir(path.join(ROOT, 'dist/share/man/man1'))).toEqual(expect.arrayContaining(['lamactl.1', 'lamactl-install.1']));
  });
});

describe('every recipe', () => {
  const recipes = LAYER_FILES.filter((file) => /\.(bb|bbappend|inc)$/.test(file));

  it.each(recipes)('%s finds its files beside it, or in the layer of the boards', async (recipe) => {
    const wanted = [...(await text(recipe)).matchAll(/file:\/\/([\w.@-]+)/g)].map((match) => match[1] ?? '');
    const name = path.basename(recipe).replace(/[._].*/, '');
    const local = await filesBelow(path.dirname(recipe));
    const boardFiles = LAYER_FILES.filter(
      (file) => file.startsWith('meta-lamadist/boards/') && file.includes(`/${path.basename(path.dirname(recipe))}/`),
    );
    for (const file of wanted.filter((found) => found !== '')) {
      const found = BUILT.includes(file) || [...local, ...boardFiles].some((candidate) => candidate.split('/').includes(file));
      expect(found || file.startsWith('COMMON_LICENSE'), `${name}: ${file}`).toBe(true);
    }
  });

  it.each(recipes)('%s makes no file with a backslash in its name, which RPM does not take', async (recipe) => {
    const lines = (await text(recipe)).split('\n');
    expect(lines.filter((line) => /^\s+(install|ln|cp|mv|touch)\b.*\\x2d/.test(line))).toEqual([]);
  });

  it.each(recipes.filter((file) => file.endsWith('.bb')))('%s has a summary and a description', async (recipe) => {
    expect(await text(recipe)).toMatch(/^SUMMARY = "/m);
    expect(await text(recipe)).toMatch(/^DESCRIPTION = "/m);
  });
});

describe('every initramfs', () => {
  const recipes = ['recipes-core/initramfs/lamadist-initramfs.bb', 'recipes-installer/images/lamadist-installer-initramfs.bb'];

  it.each(recipes)('%s has what its /etc/initrd-release links to: without it, systemd takes it for a root', async (recipe) => {
    const [, packages = ''] = /^PACKAGE_INSTALL = "([^"]*)"/m.exec(await text(`meta-lamadist/${recipe}`)) ?? [];
    expect(packages.split(/[\s\\]+/)).toContain('os-release');
  });
});

describe('the data partition', () => {
  it('is mounted over what a root that forgets is laid over with, not below it', async () => {
    const unit = await text('meta-lamadist/recipes-core/etc-overlay/files/sysroot-var.mount');
    expect(unit).toMatch(/^After=.*\bsystemd-volatile-root\.service\b/m);
  });
});

describe('every unit of the layers', () => {
  const shipped = new Set(
    LAYER_FILES.filter((file) => !/\.(service|timer|target|mount|bb|bbclass)$/.test(file)).map((file) => path.basename(file)),
  );
  const units = LAYER_FILES.filter((file) => /\.(service|timer|mount|target)$/.test(file));

  it.each(units.filter((file) => file.endsWith('.service')))('%s starts a program that the layers or its packages ship', async (file) => {
    for (const [, program = ''] of (await text(file)).matchAll(/^Exec(?:Start|StartPre|Stop)=[-+!@]*(\S+)/gm)) {
      expect(program, program).toMatch(/^\//);
      const own = /^\/usr\/lib(?:exec)?\/lamadist/.test(program);
      const known = own ? shipped.has(INSTALLED_AS[program] ?? path.basename(program)) : OTHERS_PROGRAMS.includes(program);
      expect(known, `${program} is shipped by nobody`).toBe(true);
    }
  });

  it.each(units)('%s names only units that are shipped or are well known', async (file) => {
    const own = new Set(units.map((unit) => path.basename(unit)));
    for (const [name] of (await text(file)).matchAll(/\blamadist-[a-z-]+\.(?:service|timer|target|mount)\b/g)) expect(own).toContain(name);
  });
});

describe('the layer of the boards', () => {
  /** In every build, whatever its board. */
  const appendable = ['lamadist-rauc-conf', 'linux-yocto', 'u-boot'];

  it("appends to a maker's recipes only where that maker's layer is", () => {
    const appends = LAYER_FILES.filter((file) => file.startsWith('meta-lamadist/boards/recipes-') && file.endsWith('.bbappend'));
    for (const file of appends) expect(appendable, file).toContain(path.basename(file).split('_')[0]);
  });
});

describe("the distribution's layer", () => {
  it('depends on every layer that each build has, and tells in its README what each is for', async () => {
    const { repos } = parse(await text('kas/main.kas.yml')) as { repos: Record<string, { layers?: Record<string, unknown> }> };
    const built = Object.entries(repos).flatMap(([repo, { layers = { '.': null } }]) =>
      Object.keys(layers).map((folder) => path.join(repo, folder)),
    );
    const rows = [...(await text('meta-lamadist/README.md')).matchAll(/^\| `([^`]+)` \| `([^`]+)` \| .+ \|$/gm)];
    const [, depends = ''] = /^LAYERDEPENDS_lamadist = "([^"]*)"/m.exec(await text('meta-lamadist/conf/layer.conf')) ?? [];
    expect(rows.map(([, , name]) => name).sort()).toEqual(depends.split(/[\s\\]+/).filter((name) => name !== ''));
    expect(rows.map(([, layer]) => layer).sort()).toEqual(built.filter((layer) => !NOT_DEPENDED_ON.includes(layer)).sort());
  });
});

describe('a layer', () => {
  const recipes = LAYER_FILES.filter((file) => /\.(bb|bbappend|inc|bbclass|conf)$/.test(file));

  it.each(recipes)('%s reaches out of it nowhere but where the layer says so', async (file) => {
    const lines = (await text(file)).split('\n').filter((line) => !line.startsWith('#') && line.includes('../'));
    // The layouts stand beside the layer: a documented line of the distribution. A relative link is none of a file's.
    const allowed = /\$\{LAMADIST_LAYERDIR\}\/\.\.\/wks|^\s*ln -sf? \.\.\//;
    expect(lines.filter((line) => !allowed.test(line))).toEqual([]);
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
  nonarch_base_libdir: '/usr/lib',
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
