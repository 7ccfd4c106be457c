// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { smallUki } from '../measured-boot/small-uki.ts';

/*
 * A slot of the node in namespaces has no kernel of its own, and so no UKI to measure. In its place a tiny one that names the
 * hash of the root lies behind the file system, as on a real machine the UKI of a slot lies beside its root.
 */

const MAGIC = Buffer.from('LAMA-UKI');
const HEADER_BYTES = MAGIC.length + 4;
const BLOCK_BYTES = 4096;
const LIMIT_BYTES = 64 << 10;
/** As new as the distribution's systemd-stub. */
const STUB_VERSION = 257;

/** EROFS: on-disk format of the superblock. */
const SUPERBLOCK = { offset: 1024, bytes: 128, magic: 0xe0f5e1e2, blockBits: 12, blocks: 36 } as const;

/** The UKI of a root file system. */
async function ukiOf(rootFile: string): Promise<Buffer> {
  const rootHash = createHash('sha256')
    .update(await readFile(rootFile))
    .digest('hex');
  return smallUki(STUB_VERSION, ['.initrd', `roothash=${rootHash}`]);
}

/** Puts its UKI behind the file system in an image. */
export async function appendUki(image: string): Promise<void> {
  const uki = await ukiOf(image);
  const file = await open(image, 'r+');
  try {
    const sizeBytes = Buffer.alloc(4);
    sizeBytes.writeUInt32LE(uki.length);
    const trailer = Buffer.concat([MAGIC, sizeBytes, uki]);
    const padding = Buffer.alloc(-trailer.length & (BLOCK_BYTES - 1));
    await file.write(Buffer.concat([trailer, padding]), 0, trailer.length + padding.length, await fileSystemBytes(file));
  } finally {
    await file.close();
  }
}

/** The UKI in an image or a slot; undefined where there is none. */
export async function readUkiBehind(image: string): Promise<Buffer | undefined> {
  const file = await open(image, 'r');
  try {
    const at = await fileSystemBytes(file);
    const header = await bytesAt(file, at, HEADER_BYTES);
    if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
    const sizeBytes = header.readUInt32LE(MAGIC.length);
    return sizeBytes > LIMIT_BYTES ? undefined : await bytesAt(file, at + HEADER_BYTES, sizeBytes);
  } finally {
    await file.close();
  }
}

async function fileSystemBytes(file: FileHandle): Promise<number> {
  const superblock = await bytesAt(file, SUPERBLOCK.offset, SUPERBLOCK.bytes);
  if (superblock.readUInt32LE(0) !== SUPERBLOCK.magic) return 0;
  return superblock.readUInt32LE(SUPERBLOCK.blocks) << superblock.readUInt8(SUPERBLOCK.blockBits);
}

async function bytesAt(file: FileHandle, at: number, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  await file.read(bytes, 0, sizeBytes, at);
  return bytes;
}
