// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { readPartitions } from './disk-layout.ts';

const SLOW_MS = 5 * 60_000;
const MIB = 1 << 20;
const ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const IMAGE = 'lamadist.wic.zst';

/** What is wrong with the installer's medium: a partition that firmware boots a signed UKI from, and an image with its checksum. */
export async function checkInstaller(medium: string, keys: string, say: (line: string) => void): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-installer-'));
  const command = (program: string, args: readonly string[]) =>
    execa(program, args, { cwd: folder, reject: false, all: true, timeout: SLOW_MS });
  try {
    const [only, ...others] = await readPartitions(medium);
    const findings =
      others.length === 0 && only?.type === ESP && only.startBytes === MIB ? [] : [`${medium} is not one EFI system partition`];
    const file = await readlink(medium).catch(() => '');
    if (!/-\d+\.\d+\.\d+\S*\.img$/.test(file)) findings.push(`${medium} is no link to a file that is called by its version`);
    for (const name of ['EFI/BOOT/BOOTX64.EFI', IMAGE, `${IMAGE}.sha256`]) {
      const copied = await command('mcopy', ['-i', `${medium}@@1M`, `::/${name}`, '.']);
      if (copied.exitCode !== 0) findings.push(`the installer's medium lacks ${name}: ${copied.all}`);
    }
    const signed = await command('sbverify', ['--cert', path.join(keys, 'secure-boot.crt'), 'BOOTX64.EFI']);
    if (signed.exitCode !== 0) findings.push(`the installer's UKI is not signed: ${signed.all}`);
    const summed = await command('sha256sum', ['--check', `${IMAGE}.sha256`]);
    if (summed.exitCode !== 0) findings.push(`the installer's image is not the one of its checksum: ${summed.all}`);
    const sum = await readFile(path.join(folder, `${IMAGE}.sha256`), 'utf8').catch(() => '');
    say(`${path.basename(medium)}  ${sum.trim()}`);
    return findings;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
