// SPDX-License-Identifier: Apache-2.0
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../qemu/host/command.ts';

/** Debian's systemd-stub, of the version of the systemd that this machine has. */
const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
const PAGE_BYTES = 4096;
const COMMAND = { timeoutMs: 20_000 };

/** What goes into the image, in the order in which it lies there: not that in which it is measured. The kernel is some PE file. */
const CONTENT: Readonly<Record<string, string>> = {
  osrel: 'ID=lamadist\n',
  cmdline: 'root=/dev/x quiet',
  initrd: 'i'.repeat(3001),
  uname: '6.12',
};
export const SECTIONS = [...Object.keys(CONTENT), 'linux'];

/** Builds a unified kernel image in the folder, where the content of each section is a file too; returns its path. */
export async function buildUki(folder: string): Promise<string> {
  for (const [name, content] of Object.entries(CONTENT)) await writeFile(join(folder, name), content);
  await run(['cp', STUB, join(folder, 'linux')], COMMAND);
  let address = align(await endOf(STUB));
  const sections: string[] = [];
  for (const name of SECTIONS) {
    sections.push('--add-section', `.${name}=${join(folder, name)}`, '--change-section-vma', `.${name}=${address}`);
    address = align(address + (await stat(join(folder, name))).size);
  }
  const uki = join(folder, 'uki.efi');
  await run(['objcopy', ...sections, STUB, uki], COMMAND);
  await run(['objcopy', '-O', 'binary', '--only-section=.sbat', STUB, join(folder, 'sbat')], COMMAND);
  return uki;
}

async function endOf(image: string): Promise<number> {
  const headers = await run(['objdump', '--section-headers', image], COMMAND);
  const ends = [...headers.matchAll(/^ *\d+ \S+ +([0-9a-f]+) +([0-9a-f]+) /gm)].map(
    ([, size = '', address = '']) => Number.parseInt(size, 16) + Number.parseInt(address, 16),
  );
  return Math.max(...ends);
}

function align(address: number): number {
  return Math.ceil(address / PAGE_BYTES) * PAGE_BYTES;
}
