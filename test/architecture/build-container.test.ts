// SPDX-License-Identifier: Apache-2.0
// What container/run asks podman or docker for: a stand-in writes down its arguments.
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { readKasBuild } from '../layers/kas-build.ts';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const RUN = path.join(import.meta.dirname, '../../container/run');

/** The arguments of the engine that runs a command with these variables set. */
async function argumentsWith(variables: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await temporaryFolder();
  const engine = path.join(folder, 'podman');
  await writeFile(engine, `#!/bin/sh\nprintf '%s\\n' "$@" >${folder}/arguments\n`, { mode: 0o755 });
  await execa(RUN, ['kas/build'], { env: { CONTAINER_ENGINE: engine, LAMADIST_CACHE: path.join(folder, 'cache'), ...variables } });
  return (await readFile(path.join(folder, 'arguments'), 'utf8')).trimEnd().split('\n');
}

/** What follows each of an option's names. */
const valuesOf = (argv: readonly string[], option: string) => argv.flatMap((word, index) => (argv[index - 1] === option ? [word] : []));

describe('the build container', () => {
  it('has the keys by the path that they have outside, and lets nothing write there but GnuPG', async () => {
    const keys = path.join(await temporaryFolder(), 'keys');
    await mkdir(path.join(keys, 'gnupg'), { recursive: true });
    const volumes = valuesOf(await argumentsWith({ LAMADIST_KEYS: keys }), '--volume');
    expect(volumes.filter((volume) => volume.startsWith(keys))).toEqual([`${keys}:${keys}:ro`, `${keys}/gnupg:${keys}/gnupg`]);
  });

  it('mounts no keys when none are named', async () => {
    expect(valuesOf(await argumentsWith({ LAMADIST_KEYS: '' }), '--volume')).toHaveLength(2);
  });

  it('gets every variable that kas takes from the environment, none of them by its value', async () => {
    const { fromEnvironment } = await readKasBuild('x86_64');
    expect(fromEnvironment).toEqual(
      expect.arrayContaining(['LAMADIST_INSTALLER_CMDLINE', 'LAMADIST_RELEASE', 'RAUC_KEY_FILE', 'RPM_GPG_PASSPHRASE']),
    );
    const argv = await argumentsWith({ RPM_GPG_PASSPHRASE: 'secret' });
    expect(valuesOf(argv, '--env')).toEqual(expect.arrayContaining([...fromEnvironment]));
    expect(argv.join(' ')).not.toContain('secret');
  });

  it('gets the devices and volumes of a security module', async () => {
    expect(valuesOf(await argumentsWith({ LAMADIST_CONTAINER_OPTIONS: '--device /dev/tpmrm0' }), '--device')).toEqual(['/dev/tpmrm0']);
  });
});

describe('to remove the build container', () => {
  it('removes it as each of its recipes made it, and no other image', async () => {
    const folder = await temporaryFolder();
    const engine = path.join(folder, 'podman');
    const listed = 'localhost/lamadist-build:0123456789ab\nlamadist-build:ba9876543210\nlocalhost/other-lamadist-build:1\nubuntu:22.04';
    const script = `#!/bin/sh\nif [ "$2" = ls ]; then echo "${listed}"; else printf '%s\\n' "$@" >${folder}/arguments; fi\n`;
    await writeFile(engine, script, { mode: 0o755 });
    await execa(RUN, ['--remove'], { env: { CONTAINER_ENGINE: engine } });
    const argv = (await readFile(path.join(folder, 'arguments'), 'utf8')).trimEnd().split('\n');
    expect(argv).toEqual(['image', 'rm', '--force', 'localhost/lamadist-build:0123456789ab', 'lamadist-build:ba9876543210']);
  });

  it('is done where there is no engine, and to run a command in it is not', async () => {
    const folder = await temporaryFolder();
    await symlink('/usr/bin/dirname', path.join(folder, 'dirname'));
    const run = (word: string) => execa(RUN, [word], { env: { PATH: folder }, extendEnv: false, reject: false });
    expect((await run('--remove')).exitCode).toBe(0);
    expect(await run('kas/build')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('neither podman nor docker') });
  });
});
