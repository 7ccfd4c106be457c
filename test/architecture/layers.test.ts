// SPDX-License-Identifier: Apache-2.0
// What can be known of the layers without BitBake. `npm run test:yocto` has BitBake itself look at them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { agentFiles } from '../../qemu/image/product-files.ts';
import { onTarget } from '../../qemu/layers/recipe-lines.ts';
import { installedPaths, missingFiles, programsOf } from '../layers/recipe-files.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const RECIPE = 'recipes-agent/recipes-lamadist/lamadist-agent/lamadist-agent_0.1.0.bb';
/** What `npm run build` makes in the folder that LAMADIST_BUNDLE_FOLDER names. */
const BUILT = ['share'];
/** Programs of packages that the recipes depend on. */
const OTHERS_PROGRAMS = ['/usr/bin/node', '/bin/mkdir', '/bin/sh', '/usr/bin/dd', '/usr/bin/sleep', '/usr/bin/systemctl'];
/** What BitBake finds among the unpacked files though no recipe names it: the programs of `npm run build`, and a UKI. */
const MADE = [...BUILT, 'lamadist-agent.js', 'lamactl.js', 'uki', 'lamadist.wic.zst.sha256'];

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

/** What a recipe can fetch: what is beside it, and what the layer of the boards has for it. */
async function filesOf(recipe: string): Promise<string[]> {
  const ofBoards = LAYER_FILES.filter(
    (file) => file.startsWith('meta-lamadist/boards/') && file.includes(`/${path.basename(path.dirname(recipe))}/`),
  );
  return [...(await filesBelow(path.dirname(recipe))), ...ofBoards];
}

/** Those of these programs that no recipe installs and no package of others has. */
async function strangers(programs: readonly string[]): Promise<string[]> {
  const recipes = LAYER_FILES.filter((file) => /\.(bb|bbappend|inc)$/.test(file));
  const installed = await Promise.all(recipes.map(async (recipe) => installedPaths(await text(recipe), await filesOf(recipe))));
  const known = new Set([...installed.flat(), ...OTHERS_PROGRAMS]);
  return programs.filter((program) => !known.has(program));
}

describe('every file of the layers', () => {
  const licences = LAYER_FILES.filter((file) => file.endsWith('/COPYING'));

  it.each(LAYER_FILES.filter((file) => !licences.includes(file)))('%s says its licence in its first lines', async (file) => {
    // A patch is under the licence of what it changes.
    const licence = file.endsWith('.patch') ? /SPDX-License-Identifier: \S+$/m : /SPDX-License-Identifier: Apache-2\.0/;
    expect((await text(file)).split('\n').slice(0, 3).join('\n')).toMatch(licence);
  });

  it.each(LAYER_FILES)('%s names no path of a machine', async (file) => {
    expect(await text(file)).not.toMatch(/(^|[\s"'=:(])\/(work|home|root|tmp|opt)\//m);
  });
});

it('every patch of the layers says where it comes from', async () => {
  const patches = LAYER_FILES.filter((file) => file.endsWith('.patch'));
  expect(patches).not.toEqual([]);
  for (const patch of patches) expect(await text(patch), patch).toMatch(/^Upstream-Status: \w+/m);
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
    const local = await filesOf(recipe);
    for (const file of wanted.filter((found) => found !== '')) {
      const found = BUILT.includes(file) || local.some((candidate) => candidate.split('/').includes(file));
      expect(found || file.startsWith('COMMON_LICENSE'), `${name}: ${file}`).toBe(true);
    }
  });

  it.each(recipes)('%s takes only files that it fetches', async (recipe) => {
    expect(missingFiles(await text(recipe), await filesOf(recipe), MADE)).toEqual([]);
  });

  it.each([
    ['a file that it does not name', `install -m 0644 \${WORKDIR}/other.conf \${D}/etc/other.conf`, ['other.conf']],
    ['such a file from its sources', `install -m 0644 \${S}/other.conf \${D}/etc/other.conf`, ['other.conf']],
    ['such a file in a loop', `for f in one.conf two.conf; do\n        cp \${UNPACKDIR}/$f \${D}/etc\n    done`, ['two.conf']],
    ['what is not in a folder that it names', `install -m 0755 \${WORKDIR}/folder/*.sh \${D}/etc`, ['folder/*.sh']],
  ])('is found out when it takes %s', (_, line, missing) => {
    const recipe = `SRC_URI = "file://one.conf file://folder"\nS = "\${WORKDIR}"\ndo_install() {\n    ${line}\n}\n`;
    expect(missingFiles(recipe, ['files/one.conf', 'files/folder/a.conf'], MADE)).toEqual(missing);
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
  const units = LAYER_FILES.filter((file) => /\.(service|timer|mount|target)$/.test(file));

  const runners = LAYER_FILES.filter((file) => /\.(service|mount|conf)$/.test(file) && file.includes('/recipes-'));

  it.each(runners)('%s runs only programs that a recipe of the layers installs, or that come with its packages', async (file) => {
    const programs = programsOf(await text(file));
    expect(await strangers(programs)).toEqual([]);
  });

  it.each(['Start', 'StartPre', 'StartPost', 'Condition', 'Reload', 'Stop', 'StopPost'])(
    'is found out when its Exec%s, or that of a drop-in, is a program that nobody installs',
    async (when) => {
      const unit = `[Service]\nExec${when}=\nExec${when}=-/usr/libexec/lamadist/no-such-program --now\n`;
      expect(await strangers(programsOf(unit))).toEqual(['/usr/libexec/lamadist/no-such-program']);
    },
  );

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

/** What the lines `install -m MODE ${FETCHED}/FOLDER/GLOB… ${D}TARGET` put where, with the paths of a merged /usr. */
function installRules(recipe: string): InstallRule[] {
  return [...recipe.matchAll(/install -m (\d+) (\$\{FETCHED\}\S+(?: \$\{FETCHED\}\S+)*) \$\{D\}(\S+)/g)].flatMap(
    ([, mode = '', sources = '', target = '']) =>
      sources.split(' ').map((source) => ({
        mode: Number.parseInt(mode, 8),
        pattern: new RegExp(`^${path.basename(source).replaceAll('.', '\\.').replaceAll('*', '.*')}$`),
        target: onTarget(target),
      })),
  );
}
