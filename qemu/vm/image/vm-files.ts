// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { agentFiles, type ImageFile } from '../../image/product-files.ts';
import { AGENT_LAYER, LAYER } from '../../layers/layer-folders.ts';
import { type Architecture, X86_64 } from '../architecture.ts';
import { BOARD_FILES, type Encryption } from '../layers.ts';

const CORE = path.join(LAYER, 'recipes-core');
const FACTORY_RESET = path.join(CORE, 'factory-reset/files');
const GUARD = path.join(CORE, 'boot-guard/files');
const REPART = path.join(CORE, 'repart/files');
const ENCRYPTED_ROOT = path.join(CORE, 'encrypted-root/files');
const AGENT_DROP_IN = path.join(AGENT_LAYER, 'recipes-lamadist/lamadist-agent/lamadist-agent/selinux/domain.conf');
const POLICY_MODULES = [
  path.join(AGENT_LAYER, 'dynamic-layers/selinux/recipes-security/refpolicy/lamadist-agent'),
  path.join(LAYER, 'recipes-security/refpolicy/lamadist-system'),
];
const UNITS = '/usr/lib/systemd/system';

/** Modules that every image's kernel loads: the disk, what RAUC reads bundles through, the network, the test's ports, USB sticks. */
export const KERNEL_MODULES = [
  ...['virtio_blk', 'virtio_net', 'virtio_console', 'virtio_rng', 'i6300esb', 'qemu_fw_cfg'],
  ...['dm_mod', 'dm_verity', 'dm_crypt', 'xts', 'algif_skcipher', 'loop', 'nbd'],
  ...['erofs', 'squashfs', 'ext4', 'vfat', 'nls_ascii', 'nls_cp437', 'overlay', 'efivarfs', 'autofs4', '9p', '9pnet_virtio'],
  ...['xhci_pci', 'usb_storage', 'sd_mod'],
] as const;

/** What Debian has no package for and the real image gets from OpenEmbedded's own recipes. */
const STAND_INS: readonly ImageFile[] = [
  {
    path: '/usr/lib/systemd/network/80-wired.network',
    content: '[Match]\nName=en* eth*\n\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n',
  },
  { path: '/etc/resolv.conf', content: 'nameserver 10.0.2.3\n' },
  { path: '/etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n' },
  { path: '/etc/machine-id', content: '' },
];

async function copyOf(file: string, target: string, mode = 0o644): Promise<ImageFile> {
  return { path: target, content: await readFile(file), mode };
}

/** Everything that the layers' recipes install in the root of the machine's image. */
export async function rootFiles(encrypted: Encryption, { machine }: Architecture = X86_64): Promise<ImageFile[]> {
  const conf = (name: string) => path.join(CORE, 'rauc/files', name);
  const raucParts = [conf('system.conf'), path.join(BOARD_FILES, 'machine.conf'), ...(encrypted.root ? [conf('encrypted-root.conf')] : [])];
  const rauc = (await Promise.all(raucParts.map((file) => readFile(file, 'utf8')))).join('');
  const bootEntries = path.join(CORE, 'boot-entries/files');
  return [
    ...(await agentFiles()),
    await copyOf(AGENT_DROP_IN, `${UNITS}/lamadist-agent.service.d/selinux.conf`),
    {
      path: '/etc/rauc/system.conf',
      content: rauc
        .replaceAll('@COMPATIBLE@', `lamadist-${machine}`)
        .replaceAll('@ROOT_DEVICE@', encrypted.root ? '/dev/mapper/root-' : '/dev/disk/by-partlabel/root-'),
    },
    await copyOf(path.join(LAYER, 'recipes-security/ima-policy/files/ima-policy'), '/etc/ima/ima-policy'),
    await copyOf(path.join(CORE, 'rauc/files/nbd.conf'), '/usr/lib/modules-load.d/lamadist-nbd.conf'),
    await copyOf(path.join(CORE, 'rauc/files/keep-addons'), '/usr/libexec/lamadist/keep-addons', 0o755),
    await copyOf(path.join(bootEntries, 'boot-entries'), '/usr/libexec/lamadist/boot-entries', 0o755),
    await copyOf(path.join(bootEntries, 'lamadist-boot-entries.service'), `${UNITS}/lamadist-boot-entries.service`),
    await copyOf(path.join(CORE, 'etc-overlay/files/label-data'), '/usr/libexec/lamadist/label-data', 0o755),
    await copyOf(path.join(FACTORY_RESET, 'factory-reset'), '/usr/libexec/lamadist/factory-reset', 0o755),
    await copyOf(path.join(FACTORY_RESET, 'lamadist-factory-reset.service'), `${UNITS}/lamadist-factory-reset.service`),
    ...(await guardFiles()),
    await copyOf(path.join(GUARD, 'lamadist-boot-succeeded.service'), `${UNITS}/lamadist-boot-succeeded.service`),
    await copyOf(path.join(GUARD, 'lamadist-root-scrub.service'), `${UNITS}/lamadist-root-scrub.service`),
    ...(await repartDefinitions(encrypted.data)),
    await copyOf(path.join(REPART, 'in-initramfs.conf'), `${UNITS}/systemd-repart.service.d/lamadist.conf`),
    ...(encrypted.root ? await slotPrograms('seal-slot', 'seal-targets') : []),
    ...STAND_INS,
  ];
}

/** Everything that they install in the initramfs. */
export async function initramfsFiles(encrypted: Encryption): Promise<ImageFile[]> {
  const overlay = path.join(CORE, 'etc-overlay/files');
  const units = (await readdir(overlay))
    .filter((name) => name !== 'label-data')
    .map((name) => copyOf(path.join(overlay, name), `${UNITS}/${name}`));
  return [
    ...(await Promise.all(units)),
    ...(await guardFiles()),
    await copyOf(path.join(GUARD, 'lamadist-boot-attempts.service'), `${UNITS}/lamadist-boot-attempts.service`),
    await copyOf(path.join(GUARD, 'deadline.conf'), `${UNITS}/initrd-root-fs.target.d/lamadist-deadline.conf`),
    await copyOf(path.join(GUARD, 'restart.conf'), `${UNITS}/emergency.service.d/lamadist-restart.conf`),
    await copyOf(path.join(REPART, 'lamadist-repart.service'), `${UNITS}/lamadist-repart.service`),
    await copyOf(path.join(REPART, 'make-data'), '/usr/libexec/lamadist/make-data', 0o755),
    ...(await repartDefinitions(encrypted.data)),
    ...(encrypted.data ? await dataFiles() : []),
    ...(encrypted.root ? await slotFiles() : []),
  ];
}

/** What opens the data partition. */
async function dataFiles(): Promise<ImageFile[]> {
  return [
    await copyOf(path.join(REPART, 'crypttab'), '/etc/crypttab'),
    await copyOf(path.join(REPART, 'encrypted.conf'), `${UNITS}/sysroot-var.mount.d/encrypted.conf`),
  ];
}

/** What puts root slots inside LUKS2, and opens them. */
async function slotFiles(): Promise<ImageFile[]> {
  const units = ['lamadist-open-slot@.service', 'lamadist-seal-first-boot.service'];
  return [
    ...(await slotPrograms('open-slot', 'seal-slot', 'seal-first-boot')),
    ...(await Promise.all(units.map((unit) => copyOf(path.join(ENCRYPTED_ROOT, unit), `${UNITS}/${unit}`)))),
    await copyOf(path.join(ENCRYPTED_ROOT, 'root-slots.conf'), `${UNITS}/initrd-root-fs.target.d/lamadist-root-slots.conf`),
    await copyOf(path.join(ENCRYPTED_ROOT, 'root-slots.rules'), '/usr/lib/udev/rules.d/99-zz-lamadist-root-slots.rules'),
    await copyOf(path.join(ENCRYPTED_ROOT, 'device-timeout.conf'), '/usr/lib/systemd/system.conf.d/50-lamadist-device-timeout.conf'),
  ];
}

async function slotPrograms(...names: readonly string[]): Promise<ImageFile[]> {
  return Promise.all(names.map((name) => copyOf(path.join(ENCRYPTED_ROOT, name), `/usr/libexec/lamadist/${name}`, 0o755)));
}

/** What guards a boot on both sides of the switch to the root. */
async function guardFiles(): Promise<ImageFile[]> {
  return [
    await copyOf(path.join(CORE, 'watchdog/files/watchdog.conf'), '/usr/lib/systemd/system.conf.d/50-lamadist-watchdog.conf'),
    await copyOf(path.join(GUARD, 'boot-attempts'), '/usr/libexec/lamadist/boot-attempts', 0o755),
  ];
}

/** Those of a machine without a TPM make the data partition in the clear, as the layers' recipe does. */
async function repartDefinitions(isEncrypted: boolean): Promise<ImageFile[]> {
  const folder = path.join(REPART, 'repart.d');
  const definition = async (name: string): Promise<ImageFile> => {
    const content = await readFile(path.join(folder, name), 'utf8');
    return { path: `/usr/lib/repart.d/${name}`, content: isEncrypted ? content : content.replace(/^Encrypt=.*\n/gm, ''), mode: 0o644 };
  };
  return Promise.all((await readdir(folder)).map(definition));
}

/** The sources of the policy's modules. */
export async function policyFiles(): Promise<ImageFile[]> {
  const folders = POLICY_MODULES.map(async (folder) => {
    const names = (await readdir(folder)).filter((name) => /\.(te|if|fc)$/.test(name));
    return Promise.all(names.map((name) => copyOf(path.join(folder, name), `/${name}`)));
  });
  return (await Promise.all(folders)).flat();
}
