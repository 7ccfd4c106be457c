// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProtectionKind } from '../../../../../../agent/daemon/node/security-posture.ts';
import { securityPosture } from '../../../../../../agent/daemon/platform/linux/posture/security-posture.ts';
import { temporaryFolder } from '../../../../fakes/folder.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const GUID = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const variable = (value: number) => Uint8Array.of(6, 0, 0, 0, value);
const mount = (device: string, point: string, type: string, source: string) => `1 1 ${device} / ${point} rw - ${type} ${source} rw\n`;
const MOUNTS = mount('254:0', '/', 'erofs', '/dev/mapper/root') + mount('254:1', '/var', 'ext4', '/dev/mapper/var');

/** A kernel made of files. A folder is a file whose name ends in a slash. */
async function kernel(files: Files): Promise<string> {
  const root = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(path.endsWith('/') ? join(root, path) : dirname(join(root, path)), { recursive: true });
    if (!path.endsWith('/')) await writeFile(join(root, path), content);
  }
  return root;
}

async function look(kind: ProtectionKind, files: Files) {
  const found = await securityPosture(await kernel(files))();
  return found.find((protection) => protection.kind === kind);
}

describe('Secure Boot', () => {
  const efi = (secure: number, setup = 0): Files => ({
    [`/sys/firmware/efi/efivars/SecureBoot-${GUID}`]: variable(secure),
    [`/sys/firmware/efi/efivars/SetupMode-${GUID}`]: variable(setup),
  });
  it.each<[string, Files, string, string]>([
    ['is on when the firmware says so', efi(1), 'on', 'verified'],
    ['is off when the firmware says so', efi(0), 'off', 'boots anything'],
    ['is off in setup mode', efi(0, 1), 'off', 'setup mode'],
    ['is off on a node without UEFI', { '/sys/': '' }, 'off', 'not booted by UEFI'],
    ['is unknown where the variable is not to be seen', { '/sys/firmware/efi/efivars/': '' }, 'unknown', 'SecureBoot'],
    ['is unknown when the variable is not one byte', { [`/sys/firmware/efi/efivars/SecureBoot-${GUID}`]: 'xy' }, 'unknown', 'SecureBoot'],
  ])('%s', async (_name, files, state, words) => {
    expect(await look('secure-boot', files)).toMatchObject({ state, detail: expect.stringContaining(words) });
  });
});

describe('the layers below the file systems', () => {
  const verity = { '/sys/dev/block/254:0/dm/uuid': 'CRYPT-VERITY-0123-root\n' };
  const luks = { '/sys/dev/block/254:1/dm/uuid': 'CRYPT-LUKS2-0123-var\n' };

  it('are found with the file that says so', async () => {
    const files = { '/proc/self/mountinfo': MOUNTS, ...verity, ...luks };
    expect(await look('verity-root', files)).toMatchObject({ state: 'on', evidence: '/sys/dev/block/254:0/dm/uuid' });
    expect(await look('luks-data', files)).toMatchObject({ state: 'on', evidence: '/sys/dev/block/254:1/dm/uuid' });
  });

  it('are found below others', async () => {
    const files = {
      '/proc/self/mountinfo': MOUNTS,
      '/sys/dev/block/254:1/dm/uuid': 'LVM-x',
      '/sys/dev/block/254:1/slaves/dm-4/dm/uuid': 'CRYPT-LUKS1-y',
    };
    expect(await look('luks-data', files)).toMatchObject({ state: 'on', evidence: '/sys/dev/block/254:1/slaves/dm-4/dm/uuid' });
  });

  it('are found below a file system of several devices by the name of one', async () => {
    const files = {
      '/proc/self/mountinfo': mount('254:0', '/', 'erofs', '/dev/vda2') + mount('0:31', '/var', 'btrfs', '/dev/mapper/var'),
      '/sys/class/block/dm-3/dm/name': 'var',
      '/sys/class/block/dm-3/dm/uuid': 'CRYPT-LUKS2-z',
    };
    expect(await look('luks-data', files)).toMatchObject({ state: 'on' });
  });

  it.each([
    ['plain partitions', '/dev/vda2', {}],
    ['a mapping of another kind', '/dev/mapper/var', { '/sys/dev/block/254:1/dm/uuid': 'CRYPT-PLAIN-x' }],
  ])('are off on %s', async (_name, _source, more) => {
    const files = { '/proc/self/mountinfo': MOUNTS, '/sys/dev/block/254:0/size': '1', '/sys/dev/block/254:1/size': '1', ...more };
    expect(await look('verity-root', files)).toMatchObject({ state: 'off' });
    expect(await look('luks-data', files)).toMatchObject({ state: 'off' });
  });

  it('are unknown below an overlay, and where nothing is told of the device', async () => {
    const overlay = mount('0:25', '/', 'overlay', 'overlay');
    expect(await look('verity-root', { '/proc/self/mountinfo': overlay })).toMatchObject({ state: 'unknown' });
    expect(await look('verity-root', { '/proc/self/mountinfo': MOUNTS })).toMatchObject({ state: 'unknown' });
    expect(await look('verity-root', {})).toMatchObject({ state: 'unknown', evidence: '/proc/self/mountinfo' });
  });

  it('are searched no deeper than anybody stacks them', async () => {
    const root = await kernel({ '/proc/self/mountinfo': MOUNTS, '/sys/dev/block/254:0/slaves/': '' });
    await symlink('..', join(root, 'sys/dev/block/254:0/slaves/self'));
    const found = await securityPosture(root)();
    expect(found.find(({ kind }) => kind === 'verity-root')).toMatchObject({ state: 'off' });
  });
});

describe('the kernel', () => {
  it.each<[ProtectionKind, string, Files, string]>([
    ['selinux', 'enforcing', { '/sys/fs/selinux/enforce': '1' }, 'on'],
    ['selinux', 'permissive', { '/sys/fs/selinux/enforce': '0' }, 'off'],
    ['selinux', 'not in the kernel', { '/proc/filesystems': 'nodev\tsysfs\n\text4\n' }, 'off'],
    ['selinux', 'not to be seen', { '/proc/filesystems': 'nodev\tselinuxfs\n' }, 'unknown'],
    ['selinux', 'not told at all', {}, 'unknown'],
    ['lockdown', 'for integrity', { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality' }, 'on'],
    ['lockdown', 'none', { '/sys/kernel/security/lockdown': '[none] integrity confidentiality' }, 'off'],
    ['lockdown', 'in other words', { '/sys/kernel/security/lockdown': 'perhaps' }, 'unknown'],
    ['lockdown', 'not in the kernel', { '/sys/kernel/security/lsm': 'capability' }, 'off'],
    ['lockdown', 'without securityfs', { '/sys/kernel/security/': '' }, 'unknown'],
    ['ima', 'by a policy', { '/sys/kernel/security/ima/': '', '/proc/cmdline': 'quiet ima_policy=tcb' }, 'on'],
    ['ima', 'measuring', { '/sys/kernel/security/ima/runtime_measurements_count': '42' }, 'on'],
    ['ima', 'with nothing to measure', { '/sys/kernel/security/ima/runtime_measurements_count': '1' }, 'off'],
    ['ima', 'that shows nothing', { '/sys/kernel/security/ima/': '' }, 'unknown'],
    ['ima', 'not in the kernel', { '/sys/kernel/security/lsm': 'capability' }, 'off'],
    ['ima', 'without securityfs', {}, 'unknown'],
    ['tpm', '2.0', { '/sys/class/tpm/tpm0/tpm_version_major': '2' }, 'on'],
    ['tpm', '1.2', { '/sys/class/tpm/tpm0/tpm_version_major': '1' }, 'off'],
    ['tpm', 'of no version', { '/sys/class/tpm/tpm0/': '' }, 'unknown'],
    ['tpm', 'none', { '/sys/class/tpm/': '' }, 'off'],
  ])('has %s %s', async (kind, _name, files, state) => {
    expect(await look(kind, files)).toMatchObject({ state });
  });
});

describe('a file that may not be read', () => {
  // Root reads everything, so it is a folder in the file's place.
  it('makes its protection unknown, with the reason, and no other', async () => {
    const root = await kernel({ '/sys/fs/selinux/enforce/': '', '/sys/class/tpm/tpm0/tpm_version_major': '2' });
    await chmod(join(root, 'sys/fs/selinux/enforce'), 0);
    const found = await securityPosture(root)();
    expect(found.find(({ kind }) => kind === 'selinux')).toMatchObject({
      state: 'unknown',
      detail: expect.stringMatching(/^cannot be read: /),
    });
    expect(found.find(({ kind }) => kind === 'tpm')).toMatchObject({ state: 'on' });
  });
});
