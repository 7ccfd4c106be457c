// SPDX-License-Identifier: Apache-2.0
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { type KasBuild, type Layer, REPOSITORY } from './kas-build.ts';

/** The first parse of all layers takes minutes; later ones come from BitBake's cache. */
const DEADLINE_MS = 90 * 60_000;

/** What one run said. */
export interface BitBakeRun {
  readonly ok: boolean;
  readonly output: string;
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
}

/** BitBake in a build folder of its own, offline, with the layers that are in `layersFolder`. */
export class BitBake {
  constructor(
    readonly folder: string,
    private readonly layersFolder: string,
  ) {}

  /** Writes the configuration as kas would, with further layers of this repository, and lines for local.conf. */
  async configure(build: KasBuild, furtherLayers: readonly string[] = [], extra = ''): Promise<void> {
    const further = furtherLayers.map((folder) => ({ repo: 'lamadist', folder }));
    const layers = [...build.layers, ...further].map((layer) => this.layerFolder(layer));
    const missing: string[] = [];
    for (const layer of layers) if (!(await isFile(path.join(layer, 'conf/layer.conf')))) missing.push(layer);
    if (missing.length > 0) throw new Error(`Cannot check "${build.board}": these layers are missing:\n  ${missing.join('\n  ')}`);

    await mkdir(path.join(this.folder, 'conf'), { recursive: true });
    await this.write(
      'bblayers.conf',
      `BBPATH = "\${TOPDIR}"\nBBFILES ?= ""\nBBLAYERS = " \\\n${layers.map((l) => `  ${l} \\\n`).join('')}"\n`,
    );
    await this.write('local.conf', localConf(build, extra));
  }

  /** Where a layer lies on this machine. */
  layerFolder({ repo, folder }: Layer): string {
    return repo === 'lamadist' ? path.join(REPOSITORY, folder) : path.join(this.layersFolder, repo, folder);
  }

  async run(argv: readonly string[]): Promise<BitBakeRun> {
    return this.runTool(['bitbake', ...argv]);
  }

  /** A program of BitBake's or of poky's scripts, in the build folder. */
  async runTool(command: readonly string[]): Promise<BitBakeRun> {
    const poky = path.join(this.layersFolder, 'poky');
    const env = {
      LC_ALL: 'en_US.UTF-8',
      PATH: `${poky}/scripts:${poky}/bitbake/bin:${process.env.PATH}:/usr/sbin:/sbin`,
      BBPATH: this.folder,
      BUILDDIR: this.folder,
    };
    const done = await execa('nice', ['-n', '10', ...command], {
      cwd: this.folder,
      env,
      all: true,
      reject: false,
      timeout: DEADLINE_MS,
      stdin: 'ignore',
    });
    const lines = done.all.split('\n');
    return {
      ok: done.exitCode === 0,
      output: done.all,
      warnings: lines.filter((line) => line.startsWith('WARNING:')),
      errors: lines.filter((line) => line.startsWith('ERROR:')),
    };
  }

  private async write(name: string, content: string): Promise<void> {
    await writeFile(path.join(this.folder, 'conf', name), content);
  }
}

function localConf(build: KasBuild, extra: string): string {
  return `
MACHINE = "${build.machine}"
DISTRO = "${build.distro}"
${build.localConf}
# Nothing is downloaded, and the machine need not be a distribution that Yocto tests on.
BB_NO_NETWORK = "1"
CONNECTIVITY_CHECK_URIS = ""
SANITY_TESTED_DISTROS = ""
BB_NUMBER_THREADS = "2"
BB_NUMBER_PARSE_THREADS = "2"
PARALLEL_MAKE = "-j 2"
BB_SERVER_TIMEOUT = "0"
${extra}
`;
}

async function isFile(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isFile(),
    () => false,
  );
}
