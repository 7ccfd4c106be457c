// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { copyFile, open, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../host/command.ts';
import { inRoot, WORK } from '../../root/in-root.ts';
import type { Root } from '../../root/prepare-root.ts';
import type { Architecture } from '../architecture.ts';
import { diskLayout, partitionTable } from '../image/layout.ts';
import { layerVariables } from '../layers.ts';
import type { VmFolder } from './vm-folder.ts';

const QUICK_MS = 120_000;
/** The data partition gets what the slots leave; the disk is sparse. */
const DATA_BYTES = 1200 << 20;
/** What goes where on a fresh disk. */
const FILLED = { 'esp-a': 'esp.img', 'root-a': 'rootfs.img', 'root-a-verity': 'verity.img' } as const;
/** In the folder of an image that BitBake made: a disk, or what writes one. */
const READY_DISK = 'disk.img';
const INSTALLER = 'installer.img';
/** For what an installer writes. */
const EMPTY_DISK_BYTES = 8 * 1024 ** 3;
/** Names who put the keys into the firmware (UEFI's SignatureOwner). */
const OWNER = '6c616d61-6469-4074-9000-000000000001';

/** Which machine, and what makes and runs it. */
export interface MachineKind {
  readonly architecture: Architecture;
  readonly tools: Root;
  readonly machine: Root;
}

export interface Fresh {
  /** The file of the machine's folder that it boots while its disk is empty: an installer's. */
  readonly medium: string | undefined;
}

/** Makes a machine as it leaves the factory: a disk, a firmware and a TPM that never ran. */
export async function makeFresh(kind: MachineKind, folder: VmFolder, imageFolder: string, secureBoot: boolean): Promise<Fresh> {
  const installer = path.join(imageFolder, INSTALLER);
  const medium = existsSync(installer) ? `media/${await folder.share(installer)}` : undefined;
  if (medium) await writeFile(folder.disk, '').then(() => truncate(folder.disk, EMPTY_DISK_BYTES));
  else await writeDisk(kind, folder, imageFolder);
  await writeFirmware(kind, folder, secureBoot ? path.join(imageFolder, 'keys/secure-boot.crt') : undefined);
  if (kind.architecture.tpm) await writeTpm(kind.machine, folder);
  return { medium };
}

/** Makes a disk as wks/ lays it out: slot A filled, slot B empty, nothing after them. An image that is a disk is taken as it is. */
async function writeDisk({ tools, architecture }: MachineKind, folder: VmFolder, imageFolder: string): Promise<void> {
  const ready = path.join(imageFolder, READY_DISK);
  if (existsSync(ready)) return extendDisk(tools, folder, ready);
  const partitions = await diskLayout(await layerVariables(architecture));
  const last = partitions.at(-1)!;
  const disk = await open(folder.disk, 'w');
  await disk.truncate(last.offsetBytes + last.sizeBytes + DATA_BYTES);
  await disk.close();
  await run(inRoot(tools, folder.path, ['sfdisk', '--quiet', `${WORK}/disk.img`]), {
    timeoutMs: QUICK_MS,
    input: partitionTable(partitions),
  });
  for (const { name, offsetBytes } of partitions) {
    const content = FILLED[name as keyof typeof FILLED];
    if (content) await copyInto(folder.disk, path.join(imageFolder, content), offsetBytes);
  }
}

/** A disk that BitBake made, on a machine whose disk is larger: the table's backup goes to the end. */
async function extendDisk(tools: Root, folder: VmFolder, ready: string): Promise<void> {
  await run(['cp', '--sparse=always', ready, folder.disk], { timeoutMs: QUICK_MS });
  await truncate(folder.disk, (await stat(ready)).size + DATA_BYTES);
  await run(inRoot(tools, folder.path, ['sfdisk', '--quiet', '--relocate', 'gpt-bak-std', `${WORK}/disk.img`]), { timeoutMs: QUICK_MS });
}

async function copyInto(disk: string, content: string, offsetBytes: number): Promise<void> {
  const where = [`of=${disk}`, 'bs=1M', `seek=${offsetBytes >> 20}`, 'conv=notrunc,sparse', 'status=none'];
  await run(['dd', `if=${content}`, ...where], { timeoutMs: QUICK_MS });
}

/** Makes the firmware's memory: Secure Boot on, and the image's own key as the only one that it trusts; off without a key. */
async function writeFirmware({ machine, architecture }: MachineKind, folder: VmFolder, certificate: string | undefined): Promise<void> {
  if (certificate) await copyFile(certificate, folder.file('secure-boot.crt'));
  const key = [OWNER, `${WORK}/secure-boot.crt`];
  const keys = certificate ? ['--set-pk', ...key, '--add-kek', ...key, '--add-db', ...key, '--secure-boot'] : [];
  const command = ['virt-fw-vars', '--input', architecture.firmware.variables, '--output', `${WORK}/vars.fd`, ...keys];
  await run(inRoot(machine, folder.path, command), { timeoutMs: QUICK_MS });
}

/** Gives the TPM its seeds. */
async function writeTpm(machine: Root, folder: VmFolder): Promise<void> {
  await writeFile(folder.file('swtpm.log'), '');
  const options = ['--tpm2', '--tpmstate', `${WORK}/tpm`, '--pcr-banks', 'sha256', '--logfile', `${WORK}/swtpm.log`];
  await run(inRoot(machine, folder.path, ['swtpm_setup', ...options]), { timeoutMs: QUICK_MS });
}
