// SPDX-License-Identifier: Apache-2.0
// What builds are composed of: kas files, the commands and workflows that name them, and the container.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { boards, readKasBuild } from '../layers/kas-build.ts';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');
const KAS_FILES = (await readdir(path.join(ROOT, 'kas'), { recursive: true })).filter((file) => file.endsWith('.yml')).sort();
const WORKFLOWS = (await readdir(path.join(ROOT, '.github/workflows'))).map((file) => `.github/workflows/${file}`);
const BOARDS = await boards();

describe('kas', () => {
  it.each(KAS_FILES)('%s says its purpose in one line, and its format', async (file) => {
    const content = await text(`kas/${file}`);
    expect(content.split('\n')[1]).toMatch(/^# purpose: .+/);
    expect((parse(content) as { header: { version: number } }).header.version).toBe(14);
  });

  it('pins every repository by commit, and no other', async () => {
    const lock = parse(await text('kas/main.kas.lock.yml')) as { overrides: { repos: Record<string, { commit: string }> } };
    const builds = await Promise.all(BOARDS.map(readKasBuild));
    const named = new Set(builds.flatMap((build) => build.layers.map((layer) => layer.repo)));
    named.delete('lamadist');
    expect(Object.keys(lock.overrides.repos).sort()).toEqual([...named].sort());
    for (const { commit } of Object.values(lock.overrides.repos)) expect(commit).toMatch(/^[0-9a-f]{40}$/);
  });

  it('composes every board with every file that adds to it', async () => {
    const extras = KAS_FILES.filter((file) => !/^(main|bsp\/)/.test(file)).map((file) => path.basename(file, '.kas.yml'));
    for (const board of BOARDS) {
      const { stdout } = await execa(path.join(ROOT, 'kas/compose'), [board, ...extras]);
      expect(stdout.split(':')).toHaveLength(2 + extras.length);
      for (const file of stdout.split(':')) expect(KAS_FILES).toContain(file.replace('kas/', ''));
    }
  });

  it.each(BOARDS)(
    'has the main file and that of %s alone make an image and its update bundle, of the programs of this checkout',
    async (board) => {
      const { targets, localConf } = await readKasBuild(board);
      const installer = board === 'x86_64' ? ['lamadist-image-installer'] : [];
      expect(targets).toEqual(['lamadist-image-homelab', 'lamadist-bundle-homelab', ...installer]);
      expect(localConf).toMatch(/^LAMADIST_BUNDLE_FOLDER \?= "\$\{LAMADIST_LAYERDIR\}\/\.\.\/dist"$/m);
    },
  );

  it.each(KAS_FILES.filter((file) => /^(extras|scanners)\//.test(file)))(
    '%s adds more than targets, which kas/build names itself',
    async (file) => {
      const { local_conf_header: headers = {} } = parse(await text(`kas/${file}`)) as { local_conf_header?: Record<string, string> };
      expect(Object.values(headers).join('')).not.toBe('');
    },
  );

  it("composes a file of one's own that stands in the checkout, and no other", async () => {
    const checkout = await temporaryFolder();
    await cp(path.join(ROOT, 'kas'), path.join(checkout, 'kas'), { recursive: true });
    await writeFile(path.join(checkout, 'home.kas.yml'), 'header:\n  version: 14\n');
    const compose = (file: string) => execa(path.join(checkout, 'kas/compose'), ['rk1', 'debug', file], { reject: false });
    expect((await compose('home.kas.yml')).stdout).toBe('kas/main.kas.yml:kas/bsp/rk1.kas.yml:kas/extras/debug.kas.yml:home.kas.yml');
    expect((await compose('house.kas.yml')).stderr).toBe('Cannot compose a build: there is no house.kas.yml');
    for (const outside of [path.join(checkout, 'home.kas.yml'), '../home.kas.yml', 'kas/../../home.kas.yml'])
      expect((await compose(outside)).stderr).toBe(`Cannot compose a build: ${outside} is not below this checkout`);
  });

  it('refuses to compose a board that is not there', async () => {
    const { exitCode, stderr } = await execa(path.join(ROOT, 'kas/compose'), ['rk2'], { reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toBe('Cannot compose a build: there is no rk2.kas.yml in kas/bsp/');
  });

  it.each([
    [['build', 'rk2', 'homelab'], 'Cannot compose a build: there is no rk2.kas.yml in kas/bsp/'],
    [['build', 'x86_64', 'homelab', 'debgu'], 'Cannot compose a build: there is no debgu.kas.yml in kas/extras/'],
    [['build', 'x86_64', 'homelap'], 'Cannot build homelap for x86_64: there are the images minimal, homelab, dev and installer'],
    [['build', 'rk1', 'installer'], 'Cannot build installer for rk1: only x86_64 has an installer'],
  ])('refuses what cannot be built before kas begins: %j', async (args, why) => {
    const { exitCode, stderr } = await execa(path.join(ROOT, 'kas/build'), args, { reject: false });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(why) });
  });
});

describe('a version', () => {
  it('is one that DISTRO_VERSION and a file name can hold', async () => {
    const { stdout } = await execa(path.join(ROOT, 'kas/version'));
    expect(stdout).toMatch(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?(\+\d+\.g[0-9a-f]{7,}(\.dirty)?)?$/);
  });

  it('reaches the distribution, and the names of images, bundles and of what installs them', async () => {
    expect(parse(await text('kas/main.kas.yml'))).toMatchObject({ env: { LAMADIST_VERSION: null } });
    expect(await text('meta-lamadist/conf/distro/lamadist.conf')).toMatch(/^DISTRO_VERSION = "\$\{LAMADIST_VERSION\}"$/m);
    expect(await text('meta-lamadist/conf/distro/include/lamadist-artifacts.inc')).toMatch(
      /^IMAGE_VERSION_SUFFIX = "-\$\{DISTRO_VERSION\}"$/m,
    );
    const bundle = await text('meta-lamadist/classes-recipe/lamadist-bundle.bbclass');
    expect(bundle).toMatch(/^BUNDLE_NAME = "\$\{PN\}-\$\{MACHINE\}\$\{IMAGE_VERSION_SUFFIX\}"$/m);
    const installer = await text('meta-lamadist/recipes-installer/images/lamadist-image-installer.bb');
    expect(installer).toMatch(/^\s+name=\$\{PN\}-\$\{MACHINE\}\$\{IMAGE_VERSION_SUFFIX\}$/m);
    // The short name is a link, and no file.
    const shortNames = installer.split('\n').filter((line) => /\$\{DEPLOYDIR\}\/\$\{PN\}/.test(line));
    expect(shortNames).toEqual([expect.stringContaining('ln -sf $name.')]);
  });
});

describe('the commands of mise', () => {
  const tasks = [
    'build',
    'ci-build',
    'container',
    'shell',
    'container-shell',
    'dump',
    'clean',
    'clean:all',
    'clean:sstate',
    'clean:container',
    'test',
    'version',
  ];

  it.each(tasks)('%s is there, and says what it does', async (task) => {
    const [, body] = (await text('.mise.toml')).split(new RegExp(`^\\[tasks\\."?${task}"?\\]$`, 'm'));
    expect(body?.split(/^\[tasks/m)[0]).toMatch(/^description = ".+"$/m);
  });

  it.each([
    ['the folder that LAMADIST_CACHE names', 'elsewhere'],
    ['the folder in ~/.cache', undefined],
  ])("clean the shared state in %s, and a build's own, and keep what was fetched", async (_, named) => {
    const [, command = ''] = /^\[tasks\."clean:sstate"\]\n(?:[^[]*\n)?run = (".*")$/m.exec(await text('.mise.toml')) ?? [];
    const checkout = await temporaryFolder();
    const cache = path.join(checkout, named ?? '.cache/lamadist/bitbake');
    const states = [
      path.join(cache, 'sstate'),
      ...['build', 'build/rk1/build'].map((folder) => path.join(checkout, folder, 'sstate-cache')),
    ];
    const kept = [path.join(cache, 'downloads'), path.join(checkout, 'build/rk1/build/keys')];
    for (const folder of [...states, ...kept]) await mkdir(folder, { recursive: true });
    // Of this test's folder alone, whatever the machine has set.
    const env = { PATH: process.env.PATH, HOME: checkout, ...(named === undefined ? {} : { LAMADIST_CACHE: cache }) };
    await execa('sh', ['-c', JSON.parse(command) as string], { cwd: checkout, env, extendEnv: false });
    expect(states.filter((folder) => existsSync(folder))).toEqual([]);
    expect(kept.filter((folder) => !existsSync(folder))).toEqual([]);
  });

  it('leave every variable to whoever calls them', async () => {
    expect(await text('.mise.toml')).not.toMatch(/^\[env\]|^LAMADIST_/m);
  });

  it('offer every board, and nothing else', async () => {
    for (const [, choices = ''] of (await text('.mise.toml')).matchAll(/<board>"[^{]*\{\s*choices ([^}]*?)\s*\}/g))
      expect([...choices.matchAll(/"([^"]+)"/g)].map((match) => match[1]).sort()).toEqual(BOARDS);
  });

  it('offer every addition that there is, but for what every build has, and nothing else', async () => {
    const names = KAS_FILES.filter((file) => /^(extras|scanners)\//.test(file)).map((file) => path.basename(file, '.kas.yml'));
    for (const [, choices = ''] of (await text('.mise.toml')).matchAll(/<extra>"[^{]*\{\s*choices ([^}]*?)\s*\}/g))
      expect([...choices.matchAll(/"([^"]+)"/g)].map((match) => match[1]).sort()).toEqual(
        names.filter((name) => name !== 'workspace').sort(),
      );
  });
});

describe('the workflows', () => {
  it.each(WORKFLOWS)('%s can do nothing that it does not say, and uses only what is pinned by commit', async (file) => {
    const content = await text(file);
    expect(parse(content)).toMatchObject({ permissions: { contents: 'read' } });
    for (const [, action = ''] of content.matchAll(/uses: (\S+)/g)) expect(action).toMatch(/^(\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40}$)/);
  });

  it('build every board', async () => {
    const { jobs } = parse(await text('.github/workflows/images.yml')) as {
      jobs: { build: { strategy: { matrix: { board: string[] } } } };
    };
    expect([...jobs.build.strategy.matrix.board].sort()).toEqual(BOARDS);
  });

  it('upload what was collected of one image, and nothing else', async () => {
    const content = await text('.github/workflows/images.yml');
    expect(content).toContain('run: .ci/collect-artifacts "build/$BOARD/build/tmp/deploy/images" "$IMAGE" artifacts\n');
    expect([...content.matchAll(/^ {10}path: (.*)$/gm)].map(([, uploaded]) => uploaded)).toEqual([
      '~/.cache/lamadist/bitbake',
      'artifacts/*',
    ]);
  });

  it.each(WORKFLOWS)('%s calls only scripts that are there', async (file) => {
    for (const [, script = ''] of (await text(file)).matchAll(
      /(?<![\w/.])((?:\.ci|kas|container|meta-lamadist\/scripts)\/[a-z-]+)(?=[ )"])/g,
    ))
      await expect(text(script), script).resolves.toContain('SPDX-License-Identifier');
  });

  it('go through rollouts every night, which takes too long for every change', async () => {
    const { on, jobs } = parse(await text('.github/workflows/nightly.yml')) as {
      on: { schedule?: object[] };
      jobs: { rollouts: { steps: { run?: string }[] } };
    };
    expect(on.schedule).toHaveLength(1);
    expect(jobs.rollouts.steps.map(({ run }) => run)).toEqual(expect.arrayContaining(['npm run test:fleet', 'npm run test:rollout']));
  });

  it('go through everything that boots a virtual machine every week, and keep the logs of what failed', async () => {
    const { on, jobs } = parse(await text('.github/workflows/weekly.yml')) as {
      on: { schedule?: object[] };
      jobs: {
        machine: {
          strategy: { matrix: { command: string[]; include: { command: string; scenarios: string; minutes?: number }[] } };
          steps: { run?: string; if?: string; with?: { path?: string } }[];
        };
      };
    };
    const { scripts } = JSON.parse(await text('package.json')) as { scripts: Record<string, string> };
    const inMachines = Object.keys(scripts).filter((name) => scripts[name]?.includes('LAMADIST_NODE=vm'));
    expect(on.schedule).toHaveLength(1);
    const { strategy, steps } = jobs.machine;
    const { command, include } = strategy.matrix;
    expect([...command, 'test:vm'].sort()).toEqual([...inMachines, 'demo -- --vm', 'bench -- boot'].sort());
    const [short, ...parts] = include;
    expect(short).toEqual({ command: 'test:vm', scenarios: '', minutes: 60 });
    expect(parts).toEqual(parts.map((__, index) => ({ command: `test:vm -- --shard=${index + 1}/${parts.length}`, scenarios: 'all' })));
    expect(parts.length).toBeGreaterThan(0);
    expect(steps.map(({ run = '' }) => run.replace(/\$\{\{ matrix\.command \}\}$/, 'EACH'))).toContain('npm run EACH');
    expect(steps.at(-1)).toMatchObject({ if: 'always()', with: { path: 'test-output/' } });
  });
});

describe('the container', () => {
  it('runs as a user of number 1000, and takes its tools from the lock file', async () => {
    const recipe = await text('container/Containerfile');
    expect(recipe).toMatch(/^FROM docker\.io\/library\/ubuntu:22\.04$/m);
    expect(recipe).toMatch(/useradd --uid 1000 .* builder$/m);
    expect(recipe.lastIndexOf('USER builder')).toBeGreaterThan(recipe.lastIndexOf('USER root'));
    expect(recipe).toContain('uv pip sync --require-hashes requirements.txt');
  });

  it.each(['kas', 'oelint-adv'])('has %s pinned, and the same in the lock file', async (tool) => {
    const [, version = ''] = new RegExp(`"${tool}==([\\d.]+)"`).exec(await text('container/pyproject.toml')) ?? [];
    expect(await text('container/requirements.txt')).toContain(`${tool}==${version} \\\n    --hash=sha256:`);
  });
});
