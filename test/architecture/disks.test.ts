// SPDX-License-Identifier: Apache-2.0
// The disk layouts of wks/, as far as they can be known without BitBake.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { plannedPartitions } from '../layers/disk-layout.ts';
import { boards, readKasBuild } from '../layers/kas-build.ts';
import { drawnPage } from '../layers/layout-diagram.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const text = (file: string) => readFile(path.join(ROOT, file), 'utf8');
const WKS_FILES = (await readdir(path.join(ROOT, 'wks'))).map((file) => `wks/${file}`);
const MIB = 1 << 20;
const SECTOR_BYTES = 512;
const LINUX_RESERVED = '8da63339-0007-60c0-c436-083ac8230908';
/** Discoverable Partitions Specification. */
const GUIDS = {
  DM_VERITY_ROOT_GUID: { 'x86-64': '4f68bce3-e8cd-4db1-96e7-fbcaf984b709', aarch64: 'b921b045-1df0-41c3-af44-4c6f280d3fae' },
  DM_VERITY_RHASH_GUID: { 'x86-64': '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5', aarch64: 'df3300ce-d69f-4c92-978c-9bfb0f38d820' },
} as const;

const boot = await text('meta-lamadist/conf/distro/include/lamadist-boot.inc');
const variables = Object.fromEntries(
  [...boot.matchAll(/^(\w+)(?::x86-64)? \??= "(.*)"$/gm)].map(([, name = '', value = '']) => [name, value]),
);
const partitions = async (file: string) => plannedPartitions(await text(file), variables);

describe('the disk layouts', () => {
  it('use the partition types of the Discoverable Partitions Specification', () => {
    for (const [variable, byProcessor] of Object.entries(GUIDS))
      for (const [processor, guid] of Object.entries(byProcessor)) expect(boot).toContain(`${variable}:${processor} = "${guid}"`);
    expect(boot).toContain('LAMADIST_ESP_GUID = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"');
  });

  it('are there for every board that wic lays out', async () => {
    for (const board of await boards()) {
      const { machine } = await readKasBuild(board);
      const conf = await text(`meta-lamadist/boards/conf/machine/${machine}.conf`);
      if (conf.includes('LAMADIST_VERIFIED_BOOT = "0"')) continue;
      expect(conf).toContain(`WKS_FILE = "${board}.wks.in"`);
      expect(WKS_FILES).toContain(`wks/${board}.wks.in`);
    }
  });

  it('are drawn in docs/PARTITIONING.md as they are', async () => {
    expect(await text('docs/PARTITIONING.md')).toBe(await drawnPage());
  });

  it("are drawn with roots as large as the Orin's, which its maker's tools halve", async () => {
    const [, bytes] = /^ROOTFSPART_SIZE_DEFAULT = "(\d+)"$/m.exec(await text('meta-lamadist/boards/conf/machine/orin-nx.conf')) ?? [];
    expect(await text('docs/PARTITIONING.md')).toContain(`└─ ${Number(bytes) / 2 / MIB / 1024} GiB each`);
  });

  it.each(WKS_FILES)("%s has two slots alike, called as RAUC's configuration calls them", async (file) => {
    const shape = new Map((await partitions(file)).map(({ name, type, sizeBytes }) => [name, { type, sizeBytes }]));
    for (const part of ['esp-a', 'root-a', 'root-a-verity']) {
      expect(shape.get(part), part).toBeDefined();
      expect(shape.get(part.replace('-a', '-b'))).toEqual(shape.get(part));
    }
  });

  it.each(WKS_FILES)('%s gives every partition a type, and raw regions that of what nobody is to mount', async (file) => {
    for (const { name, type } of await partitions(file)) {
      expect(type, name).not.toBe('');
      if (name.startsWith('uboot') || name === 'loader') expect(type, name).toBe(LINUX_RESERVED);
    }
  });

  it.each(WKS_FILES)('%s has no partition over another, and none over the table', async (file) => {
    const inOrder = [...(await partitions(file))].sort((a, b) => a.startBytes - b.startBytes);
    let endBytes = 34 * SECTOR_BYTES;
    for (const part of inOrder) {
      expect(part.startBytes, part.name).toBeGreaterThanOrEqual(endBytes);
      endBytes = part.startBytes + part.sizeBytes;
    }
    // The smallest disk: 8 GB as makers count, with 1 GiB of it for the data partition.
    expect(endBytes + 1024 * MIB).toBeLessThan(8e9);
  });

  it.each(WKS_FILES)('%s has room for the hash tree of a root that fills its slot', async (file) => {
    const size = new Map((await partitions(file)).map(({ name, sizeBytes }) => [name, sizeBytes]));
    // SHA-256 over blocks of 4 KiB: 128 hashes a block, level over level, and a superblock.
    let blocks = (size.get('root-a') ?? 0) / 4096;
    let hashBlocks = 1;
    do {
      blocks = Math.ceil(blocks / 128);
      hashBlocks += blocks;
    } while (blocks > 1);
    expect(size.get('root-a-verity')).toBeGreaterThanOrEqual(hashBlocks * 4096);
  });
});

describe.each(['rk1', 'soquartz'])('the layout of %s', (board) => {
  it('has the loader where the boot ROM reads it, and U-Boot where its first stage does', async () => {
    const start = new Map((await partitions(`wks/${board}.wks.in`)).map(({ name, startBytes }) => [name, startBytes / SECTOR_BYTES]));
    expect(start.get('loader')).toBe(64);
    expect(start.get('uboot')).toBe(16_384);
  });

  it("has U-Boot's environment where U-Boot and the node's tools look for it", async () => {
    const folder = 'meta-lamadist/boards/recipes-bsp/u-boot/files';
    const settings = await text(`${folder}/lamadist.cfg`);
    const number = (name: string) => Number(new RegExp(`^CONFIG_${name}=(0x[0-9a-f]+)$`, 'm').exec(settings)?.[1]);
    const part = (await partitions(`wks/${board}.wks.in`)).find(({ name }) => name === 'uboot-env');
    const [first, second, size] = [number('ENV_OFFSET'), number('ENV_OFFSET_REDUND'), number('ENV_SIZE')];
    expect(part?.startBytes).toBe(first);
    expect(second + size).toBe((part?.startBytes ?? 0) + (part?.sizeBytes ?? 0));
    const places = [...(await text(`${folder}/fw_env.config`)).matchAll(/^\/dev\S+ (0x[0-9a-f]+) (0x[0-9a-f]+)$/gm)];
    expect(places.map(([, offset, bytes]) => [Number(offset) + first, Number(bytes)])).toEqual([
      [first, size],
      [second, size],
    ]);
  });
});
