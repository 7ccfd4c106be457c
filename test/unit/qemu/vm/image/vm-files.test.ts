// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { AARCH64, X86_64 } from '../../../../../qemu/vm/architecture.ts';
import { rootFiles } from '../../../../../qemu/vm/image/vm-files.ts';
import { encryptionOf, layerVariables } from '../../../../../qemu/vm/layers.ts';

describe("RAUC's configuration in the machine's image", () => {
  it.each([
    ['lamadist-lamadist-x86-64', X86_64],
    ['lamadist-lamadist-virt-arm64', AARCH64],
  ])('takes bundles for its own processor alone: %s', async (compatible, architecture) => {
    const files = await rootFiles(encryptionOf(await layerVariables(architecture)), architecture);
    const content = files.find(({ path }) => path === '/etc/rauc/system.conf')?.content.toString();
    expect(content?.match(/^compatible=.*$/gm)).toEqual([`compatible=${compatible}`]);
    // Made like that of the board, with UEFI.
    expect(content).toMatch(/^bootloader=efi$/m);
  });
});
