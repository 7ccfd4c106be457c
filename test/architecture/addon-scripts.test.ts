// SPDX-License-Identifier: Apache-2.0
// The two scripts behind a node's addon, with the programs that they call played by functions; in a machine: test/machine/addon.test.ts.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const LAYER = path.join(import.meta.dirname, '../../meta-lamadist');

describe('make-addon', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lamadist-addon-'));
    await writeFile(path.join(folder, 'ukify'), '#!/bin/sh\nprintf "%s\\n" "$@" >&2\n', { mode: 0o755 });
    for (const name of ['key', 'cert']) await writeFile(path.join(folder, name), '');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const make = (...args: string[]) => {
    const keys = ['--key', path.join(folder, 'key'), '--cert', path.join(folder, 'cert')];
    const script = path.join(LAYER, 'scripts/make-addon');
    return execa('sh', [script, ...keys, ...args], { reject: false, env: { PATH: `${folder}:${process.env.PATH}` } });
  };

  it('has ukify make one of the words, and sign it', async () => {
    const pin = `sha256:${'ab'.repeat(32)}`;
    const { stdout, stderr } = await make('--hostname', 'attic', '--machine-id', '0'.repeat(32), '--enrol-ca', pin, 'attic.addon.efi');
    expect(stdout).toBe(`systemd.hostname=attic systemd.machine_id=${'0'.repeat(32)} lamadist.enrol_ca=${pin}`);
    expect(stderr.split('\n')).toEqual(
      expect.arrayContaining(['build', `--cmdline=${stdout}`, '--signtool=sbsign', '--output=attic.addon.efi']),
    );
  });

  it.each([
    [['--hostname', 'At tic', 'a.addon.efi'], '"At tic" is no host name'],
    [['--machine-id', 'abc', 'a.addon.efi'], '"abc" is no machine id'],
    [['--enrol-ca', 'sha256:abc', 'a.addon.efi'], 'is no fingerprint'],
    [['--word', 'two words', 'a.addon.efi'], 'is not one word of printable ASCII'],
    [['--word', '@/etc/shadow', 'a.addon.efi'], 'is not one word of printable ASCII'],
    [['--hostname', 'attic', 'attic.efi'], 'does not end with .addon.efi'],
    [['a.addon.efi'], 'it would say nothing'],
    [['--hostname', 'attic'], 'usage: '],
    [['--host', 'attic', 'a.addon.efi'], 'usage: '],
  ])('refuses %j', async (args, why) => {
    const { exitCode, stderr } = await make(...args);
    expect(exitCode).toBeGreaterThan(0);
    expect(stderr).toContain(why);
  });
});

describe('keep-addons', () => {
  const SLOTS = [
    ['rootfs', 'rootfs.0', 'A', '', '/dev/root-a'],
    ['esp', 'esp.0', '', 'rootfs.0', '/dev/esp-a'],
    ['rootfs', 'rootfs.1', 'B', '', '/dev/root-b'],
    ['esp', 'esp.1', '', 'rootfs.1', '/dev/esp-b'],
  ] as const;
  const variables = Object.fromEntries(
    SLOTS.flatMap(([slotClass, name, bootname, parent, device], index) =>
      Object.entries({ CLASS: slotClass, NAME: name, BOOTNAME: bootname, PARENT: parent, DEVICE: device }).map(
        ([key, value]) => [`RAUC_SLOT_${key}_${index + 1}`, value] as const,
      ),
    ),
  );

  /** Runs the handler as RAUC does; `mount` copies the partition's folder, and `umount` copies it back. */
  async function handle(targets: string, booted: string, addons: readonly string[]) {
    const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-addons-'));
    try {
      for (const name of ['esp-a/loader/addons', 'esp-b/loader']) await mkdir(path.join(folder, name), { recursive: true });
      for (const name of addons) await writeFile(path.join(folder, 'esp-a/loader/addons', name), name);
      const played = `
        mktemp() { mkdir ${folder}/work; echo ${folder}/work; }
        mount() { for partition; do :; done; shift $(($# - 2)); rmdir "$2"; ln -s "${folder}/\${1#/dev/}" "$2"; }
        mountpoint() { [ -L "$2" ]; }
        umount() { rm "$1"; mkdir "$1"; }
        sync() { echo "sync $1"; }
        . ${path.join(LAYER, 'recipes-core/rauc/files/keep-addons')}`;
      const env = { ...variables, RAUC_SLOTS: '1 2 3 4', RAUC_TARGET_SLOTS: targets, RAUC_CURRENT_BOOTNAME: booted };
      const { exitCode, stdout, stderr } = await execa('sh', ['-c', played], { reject: false, env });
      const kept = await execa('sh', ['-c', `cd ${folder}/esp-b/loader; ls addons 2>/dev/null; ls ${folder}`], { reject: false });
      return { exitCode, said: `${stdout}${stderr}`, kept: kept.stdout.split('\n') };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  it("brings the booted slot's addons along, through the disk's cache, and leaves nothing mounted", async () => {
    const { exitCode, said, kept } = await handle('3 4', 'A', ['attic.addon.efi', 'notes.txt']);
    expect([exitCode, said]).toEqual([0, 'sync /dev/esp-b\nKept 1 addon(s) of this node']);
    expect(kept).toEqual(['attic.addon.efi', 'esp-a', 'esp-b']);
  });

  it('touches nothing where there is none, and after a bundle without an EFI system partition', async () => {
    expect(await handle('3 4', 'A', [])).toEqual({ exitCode: 0, said: '', kept: ['esp-a', 'esp-b'] });
    expect(await handle('3', 'A', ['attic.addon.efi'])).toEqual({ exitCode: 0, said: '', kept: ['esp-a', 'esp-b'] });
  });

  it('fails when it cannot tell where they are', async () => {
    const { exitCode, said } = await handle('3 4', 'C', ['attic.addon.efi']);
    expect([exitCode, said]).toEqual([1, expect.stringContaining('no slot "esp" belongs to the booted one, C')]);
  });
});
