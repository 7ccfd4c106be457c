// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { parse } from 'yaml';
import { REPOSITORY } from './kas-build.ts';

interface LockFile {
  readonly overrides: { readonly repos: Readonly<Record<string, { readonly commit: string }>> };
}

/** What speaks against each layer of a folder being the one that the lock file pins, in sentences. */
export async function unpinnedLayers(layersFolder: string): Promise<string[]> {
  const lock = parse(await readFile(path.join(REPOSITORY, 'kas/main.kas.lock.yml'), 'utf8')) as LockFile;
  const findings = Object.entries(lock.overrides.repos).map(async ([name, { commit }]) => {
    const git = ['-C', path.join(layersFolder, name), '-c', 'safe.directory=*', 'rev-parse', 'HEAD'];
    const head = await execa('git', git, { reject: false, timeout: 10_000, env: { GIT_CEILING_DIRECTORIES: layersFolder } });
    if (head.exitCode !== 0) return [`${name}: no git checkout, so its commit is not known; the lock file says ${commit}`];
    return head.stdout === commit ? [] : [`${name}: at ${head.stdout}, and the lock file says ${commit}`];
  });
  return (await Promise.all(findings)).flat();
}
