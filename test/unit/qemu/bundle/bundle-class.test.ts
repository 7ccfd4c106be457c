// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleClass } from '../../../../qemu/bundle/bundle-class.ts';
import { LAYER } from '../../../../qemu/layers/layer-folders.ts';
import { X86_64 } from '../../../../qemu/vm/architecture.ts';

const REPOSITORY = path.join(import.meta.dirname, '../../../..');

describe("what the layers' class says of bundles", () => {
  it('is, of a machine with our boot chain, that an update is root, hash tree and EFI system partition, packed by 4 KiB', async () => {
    const { compatible, images, squashfs } = await bundleClass({ MACHINE: X86_64.machine });
    expect(compatible).toBe('lamadist-lamadist-x86-64');
    const adaptive = 'block-hash-index';
    expect(images).toEqual(['rootfs', 'verity', 'esp'].map((slot) => ({ slot, filename: `${slot}.img`, adaptive })));
    expect(squashfs).toMatch(/^-comp zstd .*-b 4096$/);
  });

  it('is, of the node in namespaces, that it is a root, for whoever calls itself as that node does', async () => {
    const { compatible, images } = await bundleClass({ MACHINE: 'namespace', LAMADIST_VERIFIED_BOOT: '0' });
    expect(images.map(({ slot }) => slot)).toEqual(['rootfs']);
    expect(await readFile(path.join(REPOSITORY, 'qemu/namespace/rauc-machine.conf'), 'utf8')).toContain(`\ncompatible=${compatible}\n`);
  });

  it("is the name by which the recipe of RAUC's configuration has a machine call itself", async () => {
    const recipe = await readFile(path.join(LAYER, 'recipes-core/rauc/lamadist-rauc-conf_1.0.bb'), 'utf8');
    const [, name = ''] = /s\/@COMPATIBLE@\/([^/]*)\//.exec(recipe) ?? [];
    const { compatible } = await bundleClass({ MACHINE: 'any' });
    expect(name.replace(/\$\{MACHINE\}$/, 'any')).toBe(compatible);
  });
});
