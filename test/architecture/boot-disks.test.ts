// SPDX-License-Identifier: Apache-2.0
// The installer has every module of the kernel, the installed system's initramfs none: each disk that docs/BUILDING.md names is
// one whose driver is built in.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');
/** What a disk of a PC needs, by the words of the documentation. */
const DRIVERS: Readonly<Record<string, readonly string[]>> = {
  NVMe: ['BLK_DEV_NVME'],
  VMD: ['VMD'],
  AHCI: ['ATA', 'SATA_AHCI', 'BLK_DEV_SD'],
  eMMC: ['MMC', 'MMC_BLOCK', 'MMC_SDHCI', 'MMC_SDHCI_PCI', 'MMC_SDHCI_ACPI'],
  'VirtIO block': ['VIRTIO_PCI', 'VIRTIO_BLK'],
  'VirtIO SCSI': ['SCSI_LOWLEVEL', 'SCSI_VIRTIO', 'BLK_DEV_SD'],
};

const settings =
  (await text('meta-lamadist/recipes-kernel/linux/files/lamadist.cfg')) +
  (await text('meta-lamadist/boards/recipes-kernel/linux/files/pc.cfg'));
const [, documented = ''] = /^(It boots from NVMe[^;]*;[^.]*)\./m.exec(await text('docs/BUILDING.md')) ?? [];

describe('a disk of a PC', () => {
  it.each(Object.entries(DRIVERS))('may be %s: it says so, and the driver is built in', (disk, drivers) => {
    expect(documented).toContain(disk);
    for (const driver of drivers) expect(settings.split('\n')).toContain(`CONFIG_${driver}=y`);
  });
});

describe("a PC's network card", () => {
  it('has the same firmware in an installed system and in the installer', async () => {
    const machine = await text('meta-lamadist/boards/conf/machine/lamadist-x86-64.conf');
    expect(machine).toMatch(/^LAMADIST_NETWORK_FIRMWARE = " \\\n( {4}linux-firmware-[\w-]+ \\\n)+"$/m);
    expect(machine).toContain(`MACHINE_EXTRA_RRECOMMENDS = "\${LAMADIST_NETWORK_FIRMWARE}"\n`);
    expect(await text('meta-lamadist/recipes-installer/images/lamadist-installer-initramfs.bb')).toContain(
      `PACKAGE_INSTALL += "\${LAMADIST_NETWORK_FIRMWARE}"\n`,
    );
  });
});
