// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { contentId } from '../../../../../qemu/cache/content-id.ts';
import { LAYER } from '../../../../../qemu/layers/layer-folders.ts';
import { layerCode, makers } from '../../../../../qemu/vm/image/makers.ts';
import { temporaryFolder } from '../../../fakes/folder.ts';

const IMAGE = path.join(import.meta.dirname, '../../../../../qemu/vm/image');
const SIGNER = 'lamadist/pcr_policy.py';

describe('what makes an image of the virtual machine', () => {
  it("is the program that does it, what it calls, and the layer's code that signs", async () => {
    const all = await makers(await layerCode());
    const programs = ['build-vm-image.ts', 'esp.sh', 'pack-root.ts', 'stage.sh', 'uki.ts', SIGNER];
    expect(all.map((file) => file.path)).toEqual(expect.arrayContaining(programs));
    const contentOf = (name: string) => all.find((file) => file.path === name)!.content;
    expect(contentOf('build-vm-image.ts')).toEqual(await readFile(path.join(IMAGE, 'build-vm-image.ts')));
    expect(contentOf(SIGNER)).toEqual(await readFile(path.join(LAYER, 'lib', SIGNER)));
  });

  it("makes another image once a line of the layer's code is another, and not for what Python leaves beside it", async () => {
    const lib = await temporaryFolder();
    await mkdir(path.join(lib, 'lamadist/__pycache__'), { recursive: true });
    const id = async () => contentId([], await makers(await layerCode(lib)));
    await writeFile(path.join(lib, SIGNER), 'PHASES = "enter-initrd"\n');
    const before = await id();
    await writeFile(path.join(lib, 'lamadist/__pycache__/pcr_policy.cpython-313.pyc'), 'compiled');
    expect(await id()).toBe(before);
    await writeFile(path.join(lib, SIGNER), 'PHASES = "leave-initrd"\n');
    expect(await id()).not.toBe(before);
  });
});
