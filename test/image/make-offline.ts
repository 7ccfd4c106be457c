// SPDX-License-Identifier: Apache-2.0
// Has BitBake make what it can without a download, with the host's tools (meta-hosttools): the signed RPMs of the agent and lamactl.
// usage: make-offline --layers FOLDER --keys FOLDER [--work FOLDER], after `npm run build`; keys as make-development-keys makes them.
import { mkdir, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BitBake } from './bitbake.ts';
import { REPOSITORY, readKasBuild } from './kas-build.ts';

const TASKS = ['lamadist-agent:do_package_write_rpm', 'lamactl:do_package_write_rpm'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      layers: { type: 'string' },
      keys: { type: 'string' },
      work: { type: 'string', default: path.join(homedir(), '.cache/lamadist/yocto') },
    },
  });
  if (values.layers === undefined || values.keys === undefined) {
    process.stderr.write('usage: make-offline --layers FOLDER --keys FOLDER [--work FOLDER]\n');
    return 2;
  }
  const folder = path.join(values.work, 'offline');
  await mkdir(folder, { recursive: true });
  const bitbake = new BitBake(folder, path.resolve(values.layers));
  const conf = `
require conf/hosttools.conf
LAMADIST_BUNDLE_FOLDER = "${path.join(REPOSITORY, 'dist')}"
LAMADIST_KEYS = "${path.resolve(values.keys)}"
`;
  await bitbake.configure(await readKasBuild('x86_64'), ['test/image/meta-hosttools'], conf);
  const run = await bitbake.run([...TASKS]);
  process.stdout.write(run.output);
  if (!run.ok || run.warnings.length > 0) return 1;
  for (const name of await readdir(path.join(folder, 'tmp-glibc/deploy/rpm'), { recursive: true }))
    if (name.endsWith('.rpm')) process.stdout.write(`${name}\n`);
  return 0;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
