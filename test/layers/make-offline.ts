// SPDX-License-Identifier: Apache-2.0
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BitBake } from './bitbake.ts';
import { checkInstaller } from './installer-medium.ts';
import { readKasBuild } from './kas-build.ts';
import { checkPromisedPcrs } from './promised-pcrs.ts';
import { checkBundle, checkDisk, checkSignatures } from './read-back.ts';

/** Recipes that compile nothing: their packages are made in full. */
const PACKAGED = [
  'lamactl',
  'lamadist-agent',
  'lamadist-boot-entries',
  'lamadist-boot-guard',
  'lamadist-data-integrity',
  'lamadist-encrypted-root',
  'lamadist-etc-overlay',
  'lamadist-factory-reset',
  'lamadist-installer',
  'lamadist-k3s-config',
  'lamadist-rauc-conf',
  'lamadist-repart',
  'lamadist-watchdog',
];
const IMAGE = 'lamadist-image-minimal';
const INSTALLER = 'lamadist-image-installer';
const BUNDLES = ['lamadist-bundle-minimal', 'lamadist-bundle-minimal-crypt'];

interface OfflineOptions {
  /** As make-development-keys makes them. */
  readonly keys: string;
  /** What the image is made of beside our packages, as hosttools.conf says; without it only packages are made. */
  readonly parts: string | undefined;
  readonly say: (line: string) => void;
}

/**
 * Has BitBake make what it can without a download, with the host's tools (meta-hosttools), and reads it back: the signed
 * packages; and from `parts` a disk, a hash tree and bundles. Needs the programs that `npm run build` makes.
 */
export async function makeOffline(bitbake: BitBake, { keys, parts, say }: OfflineOptions): Promise<boolean> {
  const conf = ['require conf/hosttools.conf', `LAMADIST_KEYS = "${keys}"`, parts === undefined ? '' : `HOST_PARTS = "${parts}"`];
  const build = await readKasBuild('x86_64');
  await bitbake.configure(build, ['test/layers/meta-hosttools'], conf.join('\n'));

  const assembled =
    parts === undefined ? [] : [`${IMAGE}:do_image_complete`, ...[...BUNDLES, INSTALLER].map((name) => `${name}:do_deploy`)];
  const tasks = [...PACKAGED.map((name) => `${name}:do_package_write_rpm`), ...assembled];
  const run = await bitbake.run(tasks);
  for (const line of [...run.errors, ...run.warnings]) say(line);
  if (!run.ok || run.warnings.length > 0) return false;

  const deploy = path.join(bitbake.folder, 'tmp-glibc/deploy');
  const findings = await checkSignatures(await filesBelow(path.join(deploy, 'rpm'), '.rpm'), keys, say);
  if (parts !== undefined) {
    const images = path.join(deploy, 'images', build.machine);
    findings.push(...(await checkDisk(images, `${IMAGE}-${build.machine}.rootfs`, say)));
    for (const name of BUNDLES)
      findings.push(...(await checkBundle(path.join(images, `${name}-${build.machine}.raucb`), keys, parts, say)));
    findings.push(...(await checkInstaller(path.join(images, `${INSTALLER}-${build.machine}.img`), keys, say)));
    // Of the encrypted one, only a receiver reads the manifest.
    const esp = path.join(images, `${IMAGE}-${build.machine}.rootfs.esp.vfat`);
    findings.push(...(await checkPromisedPcrs(path.join(images, `${BUNDLES[0]}-${build.machine}.raucb`), esp, keys)));
  }
  for (const finding of findings) say(`  ${finding}`);
  say(`made without a download: ${findings.length === 0 ? 'ok' : 'FAILED'}`);
  return findings.length === 0;
}

async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith(ending)).map((name) => path.join(folder, name));
}
