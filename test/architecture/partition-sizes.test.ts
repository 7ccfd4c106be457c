// SPDX-License-Identifier: Apache-2.0
// An image whose root does not fit in its slot is not made: the layer's own Python, with a stand-in for BitBake and files that are
// as large as they say and hold nothing.
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../unit/fakes/folder.ts';

const LAYER = path.join(import.meta.dirname, '../../meta-lamadist');
const MIB = 1 << 20;
const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** Begins the task that makes UKIs, with these variables, and says what it would stop with. */
const BEGIN_UKI = `
import json, os, re, sys
layer, values = sys.argv[1], json.loads(sys.argv[2])
classes = layer + '/classes-recipe/lamadist-'
sizes = open(classes + 'partition-sizes.bbclass').read()
uki = open(classes + 'uki.bbclass').read()
class D:
    def getVar(self, name):
        return values.get(name)
    def expand(self, text):
        return re.sub(r'\\$\\{(\\w+)\\}', lambda match: values[match[1]], text)
class bb:
    def fatal(message):
        sys.exit(message)
exec(sizes[sizes.index('def '):])
task = uki[uki.index('python do_uki()'):]
task = task[:task.index('\\n}\\n')].replace('python do_uki() {', 'def do_uki(d):', 1)
exec(task)
try:
    do_uki(D())
except TypeError:
    print('goes on')
`;

const text = (file: string) => readFile(path.join(LAYER, file), 'utf8');
const boot = await text('conf/distro/include/lamadist-boot.inc');
const defaultMib = (name: string) => Number(new RegExp(`^${name} \\??= "(\\d+)"$`, 'm').exec(boot)?.[1]);
const [ROOT_MIB, HASH_MIB, HEADER_MIB] = ['LAMADIST_ROOT_MIB', 'LAMADIST_HASH_MIB', 'LAMADIST_LUKS_HEADER_MIB'].map(defaultMib) as [
  number,
  number,
  number,
];

interface Image {
  readonly rootBytes: number;
  readonly hashBytes?: number;
  readonly encryption: 'tpm2' | 'off';
}

/** What the making of this image is stopped with; `goes on` when it is not. */
async function outcome({ rootBytes, hashBytes = BLOCK_BYTES, encryption }: Image): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, bytes] of Object.entries({ verity: rootBytes, vhash: hashBytes })) {
    await writeFile(path.join(folder, `image.erofs.${name}`), '');
    await truncate(path.join(folder, `image.erofs.${name}`), bytes);
  }
  const variables = {
    IMAGE_NAME: 'image',
    IMGDEPLOYDIR: folder,
    LAMADIST_HASH_MIB: `${HASH_MIB}`,
    LAMADIST_LUKS_HEADER_MIB: `${HEADER_MIB}`,
    LAMADIST_ROOT_ENCRYPTION: encryption,
    LAMADIST_ROOT_MIB: `${ROOT_MIB}`,
    LAMADIST_ROOT_TYPE: 'erofs',
    PN: 'lamadist-image-test',
  };
  const { stdout, stderr } = await execa('python3', ['-c', BEGIN_UKI, LAYER, JSON.stringify(variables)], { reject: false });
  return stdout + stderr;
}

describe('an image whose roots are encrypted', () => {
  const encryption = 'tpm2';
  const roomMib = ROOT_MIB - HEADER_MIB;

  it('is made when its root fits beside the header', async () => {
    expect(await outcome({ rootBytes: roomMib * MIB, encryption })).toBe('goes on');
  });

  it('is not when its root is a block larger', async () => {
    expect(await outcome({ rootBytes: roomMib * MIB + BLOCK_BYTES, encryption })).toBe(
      `Cannot make lamadist-image-test: the root is of ${roomMib * 1024 + 4} KiB, and its partition has room for ${roomMib} MiB beside the header of LUKS2 ` +
        `(LAMADIST_ROOT_MIB = "${ROOT_MIB}"). docs/PARTITIONING.md says what can be changed before a first installation.`,
    );
  });
});

describe('an image whose roots are in the clear', () => {
  const encryption = 'off';

  it('is made when its root fills the partition', async () => {
    expect(await outcome({ rootBytes: ROOT_MIB * MIB, encryption })).toBe('goes on');
  });

  it('is not when its root is a block larger', async () => {
    expect(await outcome({ rootBytes: ROOT_MIB * MIB + BLOCK_BYTES, encryption })).toContain(
      `the root is of ${ROOT_MIB * 1024 + 4} KiB, and its partition has room for ${ROOT_MIB} MiB (LAMADIST_ROOT_MIB = "${ROOT_MIB}")`,
    );
  });

  it('is not when its hash tree is larger than its partition', async () => {
    expect(await outcome({ rootBytes: MIB, hashBytes: HASH_MIB * MIB + BLOCK_BYTES, encryption })).toContain(
      `the hash tree is of ${HASH_MIB * 1024 + 4} KiB, and its partition has room for ${HASH_MIB} MiB (LAMADIST_HASH_MIB = "${HASH_MIB}")`,
    );
  });
});

it('the header that a node makes is as large as a build takes it to be', async () => {
  const sealSlot = await text('recipes-core/encrypted-root/files/seal-slot');
  const [, sectors] = /^header=(\d+)$/m.exec(sealSlot) ?? [];
  expect(Number(sectors) * SECTOR_BYTES).toBe(HEADER_MIB * MIB);
  expect(sealSlot).toMatch(/cryptsetup luksFormat .*--offset "\$header"/);
});
