// SPDX-License-Identifier: Apache-2.0
// What the installer writes when it was told to, by the person at the console or by the command line. In a machine it is started
// by `npm run test:yocto -- --install`.
import { createHash } from 'node:crypto';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../unit/fakes/folder.ts';
import { ScriptedServers } from '../fakes/scripted-bundle-server.ts';
import { disk, install } from './installation.ts';

const MIB = 1 << 20;
const SECTOR = 512;
const GPT = 'EFI PART';
const IMAGE_BYTES = 4 * MIB;
const DISK_BYTES = 8 * MIB;

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
/** The file of a disk, partitioned. */
async function partitioned(file: string, sizeBytes: number): Promise<void> {
  await writeFile(file, '');
  await truncate(file, sizeBytes);
  await execa('sfdisk', ['--quiet', file], { input: 'label: gpt\nstart=1MiB, name=lamadist\n' });
}

/** An image of a disk, and as the installer gets it. */
async function image() {
  const file = path.join(await temporaryFolder(), 'lamadist.wic');
  await partitioned(file, IMAGE_BYTES);
  await execa('zstd', ['--quiet', file]);
  return { content: await readFile(file), packed: await readFile(`${file}.zst`) };
}

/** A medium with the image and its checksum, without partitions: not every machine shows those of a loop device. */
async function medium(packed: Buffer): Promise<string> {
  const folder = await temporaryFolder();
  const [file, content] = [path.join(folder, 'medium.img'), path.join(folder, 'content')];
  await mkdir(content);
  await writeFile(path.join(content, 'lamadist.wic.zst'), packed);
  await writeFile(path.join(content, 'lamadist.wic.zst.sha256'), `${sha256(packed)}  lamadist.wic.zst\n`);
  await execa('mkfs.ext4', ['-q', '-O', '^has_journal', '-d', content, file, `${DISK_BYTES / 1024}`]);
  return disk(file);
}

async function emptyDisk(): Promise<{ file: string; device: string }> {
  const file = path.join(await temporaryFolder(), 'disk.img');
  await writeFile(file, Buffer.alloc(DISK_BYTES));
  return { file, device: await disk(file) };
}

const isEmpty = (disk: Buffer) => disk.equals(Buffer.alloc(DISK_BYTES));

/** That the disk holds the image, and that its end holds the backup of the partition table. */
function expectInstalled(written: Buffer, content: Buffer): void {
  const data = (of: Buffer) => sha256(of.subarray(MIB, 3 * MIB));
  expect(data(written)).toBe(data(content));
  expect(written.subarray(SECTOR, SECTOR + GPT.length).toString()).toBe(GPT);
  expect(written.subarray(DISK_BYTES - SECTOR, DISK_BYTES - SECTOR + GPT.length).toString()).toBe(GPT);
}

describe('the installer', { timeout: 90_000 }, () => {
  it('asks for the disk, has its name typed again, and writes the image of its medium to it', async () => {
    const { content, packed } = await image();
    const stick = await medium(packed);
    const { file, device } = await emptyDisk();
    const name = path.basename(device);
    const { exitCode, console, restarted } = await install({ medium: stick, disks: [device], answers: [name, name] });
    expect(console).toMatch(new RegExp(`^${name} .*disk$`, 'm'));
    expect(console).not.toContain(`${path.basename(stick)} `);
    expect(console).toContain(`Everything on ${device} will be lost. Type its name again to go on: `);
    expect(console).toContain('lamadist-install: done');
    expect({ exitCode, restarted }).toEqual({ exitCode: 0, restarted: true });
    expectInstalled(await readFile(file), content);
  });

  it('does not erase the medium that it was started from', async () => {
    const { packed } = await image();
    const stick = await medium(packed);
    const { exitCode, console } = await install({ words: [`disk=${stick}`], medium: stick, disks: [stick] });
    expect(exitCode).toBe(1);
    expect(console).toContain(`${stick} is what this installer was started from`);
  });

  it('writes nothing of a medium that is damaged', async () => {
    const { packed } = await image();
    const stick = await medium(packed);
    const { file, device } = await emptyDisk();
    await spoil(stick, packed);
    const { exitCode, console } = await install({ words: [`disk=${device}`], medium: stick, disks: [device] });
    expect(exitCode).toBe(1);
    expect(console).toContain("the image on the installer's medium is damaged");
    expect(isEmpty(await readFile(file))).toBe(true);
  });

  it('asks nothing when the command line names disk and image, and fetches it', async () => {
    const { content, packed } = await image();
    const { file, device } = await emptyDisk();
    const { url, authority } = await serve(packed);
    const { exitCode, console, restarted } = await install({
      words: [`disk=${device}`, `url=${url}`, `sha256=${sha256(packed)}`, 'then=poweroff'],
      disks: [device],
      authority,
    });
    expect(console).not.toContain('Disk to erase');
    expect({ exitCode, restarted }).toEqual({ exitCode: 0, restarted: false });
    expectInstalled(await readFile(file), content);
  });

  it('writes nothing that has another checksum', async () => {
    const { packed } = await image();
    const { file, device } = await emptyDisk();
    const { url, authority } = await serve(packed);
    const words = [`disk=${device}`, `url=${url}`, `sha256=${'0'.repeat(64)}`];
    const { exitCode, console } = await install({ words, disks: [device], authority });
    expect(exitCode).toBe(1);
    expect(console).toContain(`what ${url} sent has another checksum`);
    expect(isEmpty(await readFile(file))).toBe(true);
  });
});

/** Serves an image over HTTPS, until the test is over. */
async function serve(packed: Buffer): Promise<{ url: string; authority: string }> {
  const servers = await ScriptedServers.create();
  const { url } = await servers.serve((_request, response) => void response.writeHead(200).end(packed));
  const authority = path.join(await temporaryFolder(), 'authority.pem');
  await writeFile(authority, servers.ca);
  return { url: url.href, authority };
}

/** Changes an octet of the image on the medium. */
async function spoil(stick: string, packed: Buffer): Promise<void> {
  const content = await readFile(stick);
  const at = content.indexOf(packed.subarray(0, 64));
  const octet = (content[at + 64] ?? 0) ^ 1;
  await execa('dd', [`of=${stick}`, 'bs=1', `seek=${at + 64}`, 'conv=notrunc,fsync'], { input: Buffer.from([octet]) });
}
