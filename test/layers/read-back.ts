// SPDX-License-Identifier: Apache-2.0
// Looks at what BitBake made with other tools than those that made it. Each check returns what is wrong, in sentences.
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { plannedPartitions, readPartitions } from './disk-layout.ts';
import { readVariables } from './expectations.ts';
import { REPOSITORY } from './kas-build.ts';

type Say = (line: string) => void;

const SLOW_MS = 10 * 60_000;
const SECTOR_BYTES = 512;
const ENVIRONMENT = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, LC_ALL: 'C.UTF-8' };

const run = (command: string, args: readonly string[]) =>
  execa(command, args, { env: ENVIRONMENT, reject: false, all: true, timeout: SLOW_MS, stdin: 'ignore' });

/** Every package is signed by the key of `keys`, and by no other that this looks for; and compressed as everything is. */
export async function checkSignatures(packages: readonly string[], keys: string, say: Say): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-rpm-'));
  try {
    const publicKey = path.join(folder, 'key.asc');
    const exported = await execa('gpg', ['--homedir', path.join(keys, 'gnupg'), '--armor', '--export', 'lamadist-packages']);
    await writeFile(publicKey, exported.stdout);
    const database = ['--dbpath', path.join(folder, 'db')];
    await run('rpmkeys', [...database, '--import', publicKey]);
    const findings: string[] = packages.length === 0 ? ['no package was made'] : [];
    for (const name of packages) {
      const { exitCode, all } = await run('rpmkeys', [...database, '--checksig', '--verbose', name]);
      const signed = exitCode === 0 && /Signature, key ID \w+: OK/.test(all);
      const packed = (
        await run('rpm', ['--query', '--package', '--nosignature', '--queryformat', '%{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS}', name])
      ).all;
      if (!/^zstd 11(\D|$)/.test(packed)) findings.push(`${path.basename(name)} is compressed by ${packed} and not by zstd 11`);
      say(`${path.basename(name)}  ${signed ? 'signed' : 'NOT SIGNED'}`);
      if (!signed) findings.push(all);
    }
    return findings;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The disk `image`.wic.zst is as wks/ says, holds what the other artifacts hold, and its hash tree is the root's. */
export async function checkDisk(folder: string, image: string, say: Say): Promise<string[]> {
  const scratch = await mkdtemp(path.join(folder, 'read-back-'));
  try {
    const disk = path.join(scratch, 'disk');
    // By force: the name is a link to that with the version.
    await execa('zstd', ['--decompress', '--force', '--sparse', '--quiet', '-o', disk, path.join(folder, `${image}.wic.zst`)], {
      timeout: SLOW_MS,
    });
    const found = await readPartitions(disk);
    for (const part of found)
      say(`${part.name.padEnd(16)} ${part.type} ${part.startBytes / SECTOR_BYTES} ${part.sizeBytes / SECTOR_BYTES}`);

    const planned = plannedPartitions(await readFile(path.join(REPOSITORY, 'wks/x86_64.wks.in'), 'utf8'), await layoutVariables());
    const findings = planned.flatMap((want, index) =>
      JSON.stringify(want) === JSON.stringify(found[index])
        ? []
        : [`partition ${index + 1} is ${JSON.stringify(found[index])} and not ${JSON.stringify(want)}`],
    );
    if (found.length !== planned.length) findings.push(`the disk has ${found.length} partitions and not ${planned.length}`);

    const files = { 'esp-a': 'esp.vfat', 'root-a': 'erofs-lz4hc.verity', 'root-a-verity': 'erofs-lz4hc.vhash' };
    for (const [name, ending] of Object.entries(files)) {
      const part = found.find((candidate) => candidate.name === name);
      const file = path.join(folder, `${image}.${ending}`);
      if (part === undefined || !(await holds(disk, part.startBytes, file))) findings.push(`${name} does not hold ${image}.${ending}`);
      if (part !== undefined && (await stat(file)).size > part.sizeBytes) findings.push(`${image}.${ending} does not fit in ${name}`);
    }
    findings.push(...(await checkUkis(folder, image, say)));
    return findings;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Each slot's UKI names its own slot, and the hash of the root beside it. */
async function checkUkis(folder: string, image: string, say: Say): Promise<string[]> {
  const findings: string[] = [];
  for (const slot of ['a', 'b'] as const) {
    const uki = path.join(folder, `read-back-${slot}.efi`);
    const words = path.join(folder, `read-back-${slot}.cmdline`);
    const copy = `${uki}.copy`;
    try {
      await execa('mcopy', ['-o', '-i', path.join(folder, `${image}.esp.vfat`), `::/EFI/Linux/lamadist-${slot}.efi`, uki]);
      await execa('objcopy', ['--dump-section', `.cmdline=${words}`, uki, copy]);
      const commandLine = (await readFile(words, 'utf8')).split('\0')[0] ?? '';
      const [, hash = ''] = /roothash=([0-9a-f]{64})/.exec(commandLine) ?? [];
      const root = path.join(folder, `${image}.erofs-lz4hc.verity`);
      const verified = await run('veritysetup', ['verify', root, path.join(folder, `${image}.erofs-lz4hc.vhash`), hash]);
      if (verified.exitCode !== 0) findings.push(`the hash tree is not that of lamadist-${slot}.efi: ${verified.all}`);
      for (const word of [`rauc.slot=${slot.toUpperCase()}`, `systemd.verity_root_data=/dev/mapper/root-${slot}`])
        if (!commandLine.split(' ').includes(word)) findings.push(`lamadist-${slot}.efi lacks ${word}`);
      say(`lamadist-${slot}.efi  root hash ${hash}`);
    } finally {
      for (const file of [uki, words, copy]) await rm(file, { force: true });
    }
  }
  return findings;
}

/** RAUC, of the folder of parts, trusts the bundle as a node would, and finds all three images in it. */
export async function checkBundle(bundle: string, keys: string, parts: string, say: Say): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lamadist-rauc-'));
  try {
    // The authority and the purpose of its certificates are what system.conf says on a node.
    const conf = path.join(folder, 'system.conf');
    const keyring = `[keyring]\npath=${path.join(keys, 'bundle-ca.crt')}\ncheck-purpose=codesign\n`;
    await writeFile(conf, `[system]\ncompatible=lamadist-lamadist-x86-64\nbootloader=noop\n\n${keyring}`);
    const rauc = path.join(parts, 'rauc');
    const { exitCode, all } = await run(path.join(rauc, 'ld-linux-x86-64.so.2'), [
      '--library-path',
      rauc,
      path.join(rauc, 'rauc'),
      'info',
      `--conf=${conf}`,
      '--output-format=shell',
      bundle,
    ]);
    const name = path.basename(bundle);
    if (exitCode !== 0) return [`${name}: ${all}`];
    const wanted = ["RAUC_MF_IMAGES='3'", "RAUC_MF_COMPATIBLE='lamadist-lamadist-x86-64'"];
    say(`${name}  ${/^RAUC_MF_VERSION=.*$/m.exec(all)?.[0] ?? ''}  ${(await stat(bundle)).size} bytes`);
    return wanted.filter((line) => !all.includes(line)).map((line) => `${name} lacks ${line}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether the disk holds the file's bytes from `startBytes` on. */
async function holds(disk: string, startBytes: number, file: string): Promise<boolean> {
  const [whole, part] = [await open(disk), await open(file)];
  try {
    const chunk = 1 << 20;
    const [a, b] = [Buffer.alloc(chunk), Buffer.alloc(chunk)];
    for (let position = 0; ; position += chunk) {
      const { bytesRead } = await part.read(b, 0, chunk, position);
      if (bytesRead === 0) return true;
      await whole.read(a, 0, bytesRead, startBytes + position);
      if (!a.subarray(0, bytesRead).equals(b.subarray(0, bytesRead))) return false;
    }
  } finally {
    await whole.close();
    await part.close();
  }
}

/** What the distribution says of sizes and types on x86-64, for a layout. */
async function layoutVariables(): Promise<Record<string, string>> {
  const conf = await readFile(path.join(REPOSITORY, 'meta-lamadist/conf/distro/include/lamadist-boot.inc'), 'utf8');
  return Object.fromEntries(readVariables(conf.replaceAll(' ?= ', '=').replaceAll(' = ', '=').replaceAll(':x86-64', '')));
}
