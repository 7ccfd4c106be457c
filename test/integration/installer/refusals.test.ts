// SPDX-License-Identifier: Apache-2.0
// The installer erases a disk: what it must not take for an order to do so. That it installs is shown in a virtual machine.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withPrivateMounts } from '../../../qemu/private-mounts.ts';
import { temporaryFolder } from '../../unit/fakes/folder.ts';

const INSTALLER = path.resolve(import.meta.dirname, '../../../meta-lamadist/recipes-installer/installer/files/lamadist-install');
/** In a mount namespace of its own, with a command line and a console that are files. */
const RUN = 'mount --bind "$1" /proc/cmdline && mount --bind "$2" /dev/console && mount -t tmpfs tmpfs /run && exec "$3"';
const SUM = `lamadist.install.sha256=${'0'.repeat(64)}`;

/** A disk to name: should the installer not refuse, it writes into a file of ours. */
async function loopDisk(): Promise<string> {
  const file = path.join(await temporaryFolder(), 'disk.img');
  await writeFile(file, Buffer.alloc(1 << 20));
  const { stdout } = await execa('losetup', ['--find', '--show', file]);
  onTestFinished(async () => void (await execa('losetup', ['--detach', stdout])));
  return stdout;
}

/** What the installer says on the console, when it has refused. */
async function refusal(...words: string[]): Promise<string> {
  const folder = await temporaryFolder();
  const [commandLine, console] = [path.join(folder, 'cmdline'), path.join(folder, 'console')];
  await writeFile(commandLine, `ro ${words.join(' ')}\n`);
  await writeFile(console, '');
  const [program, ...args] = withPrivateMounts(['sh', '-c', RUN, 'sh', commandLine, console, INSTALLER]);
  const { exitCode } = await execa(program, args, { reject: false, timeout: 60_000 });
  expect(exitCode).toBe(1);
  return (await readFile(console, 'utf8')).trim();
}

describe('the installer', { timeout: 90_000 }, () => {
  it('refuses what is not a disk', async () => {
    expect(await refusal('lamadist.install.disk=/dev/null', 'lamadist.install.url=https://server.invalid/image', SUM)).toBe(
      'lamadist-install: Cannot install: /dev/null is not a disk',
    );
  });

  it('refuses an image without its checksum', async () => {
    expect(await refusal(`lamadist.install.disk=${await loopDisk()}`, 'lamadist.install.url=https://server.invalid/image')).toBe(
      'lamadist-install: Cannot install: lamadist.install.url is given without lamadist.install.sha256',
    );
  });

  it('refuses an image that comes over a line anybody can read', async () => {
    expect(await refusal(`lamadist.install.disk=${await loopDisk()}`, 'lamadist.install.url=http://server.invalid/image', SUM)).toBe(
      'lamadist-install: Cannot install: http://server.invalid/image is not an https: address',
    );
  });
});
