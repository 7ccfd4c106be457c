// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../cache/cache-directory.ts';
import { run } from '../host/command.ts';
import { withPrivateMounts } from '../host/private-mounts.ts';
import { requireRoot } from '../host/require-root.ts';
import { type Say, timed } from '../host/say.ts';
import { aptTransport, debianMirror } from './debian-mirror.ts';

const SUITE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const HERE = import.meta.dirname;
/** Every program of an installation is emulated. */
const FOREIGN_MS = 60 * 60_000;
const NATIVE_MS = 15 * 60_000;
const KILL_AFTER_MS = 10_000;

/** A processor that is not this machine's, and how its programs run here. */
export interface Foreign {
  /** As Debian names it. */
  readonly architecture: string;
  /** Around a command that runs such programs, in a mount namespace of its own. */
  readonly around: (command: readonly [string, ...string[]]) => [string, ...string[]];
}

export interface Root {
  /** Names the content: the package list and the script that made it. */
  readonly id: string;
  /** A whole Debian root: image, bundle and TPM tools run in it by chroot. */
  readonly tools: string;
  /** What every slot image starts from. */
  readonly base: string;
  readonly foreign?: Foreign;
}

/** What the node in namespaces runs, and what makes its images. */
const NAMESPACE_PACKAGES = path.join(HERE, 'packages.txt');

/**
 * A Debian root of the packages in a list: from the cache, or prepared now (half a minute and more, once).
 * Any number of processes may ask at once: one prepares, the others wait for it.
 */
export async function prepareRoot(say: Say, packageList = NAMESPACE_PACKAGES, foreign?: Foreign): Promise<Root> {
  requireRoot('prepare images');
  const packages = packageNames(await readFile(packageList, 'utf8'));
  const script = path.join(HERE, 'prepare-root.sh');
  const id = createHash('sha256')
    .update([SUITE, foreign?.architecture ?? process.arch, ...packages, await readFile(script, 'utf8')].join('\n'))
    .digest('hex')
    .slice(0, 16);
  const cache = cacheDirectory();
  const target = path.join(cache, `root-${id}`);
  if (!existsSync(target)) {
    await timed(say, `Preparing a Debian ${SUITE} root from ${packages.length} packages, once, in ${target}`, () =>
      prepare(script, target, packages, foreign),
    );
  }
  return { id, tools: path.join(target, 'tools'), base: path.join(target, 'base'), ...(foreign && { foreign }) };
}

async function prepare(script: string, target: string, packages: readonly string[], foreign?: Foreign): Promise<void> {
  const mirror = await debianMirror();
  await mkdir(path.dirname(target), { recursive: true });
  const aptConfiguration = `${target}.apt.conf`;
  await writeFile(aptConfiguration, await aptTransport());
  // The lock lives as long as any process that prepares; mounts that mmdebstrap leaves behind die with the namespace.
  const prepared = ['sh', script, target, SUITE, mirror, KEYRING, aptConfiguration, packages.join(',')] as const;
  const command = withPrivateMounts(foreign?.around(prepared) ?? prepared);
  const limitMs = foreign ? FOREIGN_MS : NATIVE_MS;
  // timeout(1) ends all that it started: flock(1) alone would leave mmdebstrap running, with the lock.
  const limited = ['timeout', `--kill-after=${KILL_AFTER_MS / 1000}`, `${limitMs / 1000}`, 'flock', `${target}.lock`, ...command] as const;
  await run(limited, { timeoutMs: limitMs + 2 * KILL_AFTER_MS });
}

export function packageNames(list: string): string[] {
  return list
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}
