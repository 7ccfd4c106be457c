// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { AARCH64, X86_64 } from '../../../../../qemu/vm/architecture.ts';
import { diskLayout, namedPartition, partitionTable } from '../../../../../qemu/vm/image/layout.ts';
import { layerVariables } from '../../../../../qemu/vm/layers.ts';

describe('the disk of the virtual machine', () => {
  it('has the partitions of wks/, one after the other, with the types of the specification', async () => {
    const partitions = await diskLayout(await layerVariables());
    expect(partitions.map(({ name }) => name)).toEqual(['esp-a', 'esp-b', 'root-a', 'root-a-verity', 'root-b', 'root-b-verity']);
    for (const [index, { offsetBytes, sizeBytes }] of partitions.entries()) {
      expect(partitions[index + 1]?.offsetBytes ?? offsetBytes + sizeBytes).toBe(offsetBytes + sizeBytes);
    }
    expect(partitions[2]?.type).toBe('4f68bce3-e8cd-4db1-96e7-fbcaf984b709');
    expect(partitionTable(partitions)).toContain('label: gpt\nname="esp-a", start=2048, size=163840, type=C12A7328-');
  });

  it('has each where the machine of this processor has it: an arm64 kernel, which is not packed, wants larger EFI system partitions', async () => {
    const mib = async (architecture: typeof X86_64) => (await namedPartition('root-a', architecture)).offsetBytes >> 20;
    expect([await mib(X86_64), await mib(AARCH64)]).toEqual([1 + 2 * 80, 1 + 2 * 144]);
  });
});
