// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { AARCH64, X86_64 } from '../../../../../../qemu/vm/architecture.ts';
import { namedPartition } from '../../../../../../qemu/vm/image/layout.ts';
import { flipBit } from '../../../../../../qemu/vm/machine/disk/tamper.ts';
import { temporaryFolder } from '../../../../fakes/folder.ts';

it.each([X86_64, AARCH64])('a bit is changed where the disk of this machine has the partition: $name', async (architecture) => {
  const { offsetBytes } = await namedPartition('root-a-verity', architecture);
  const disk = path.join(await temporaryFolder(), 'disk.img');
  const file = await open(disk, 'w+');
  try {
    await file.write(Buffer.from('verity'), 0, 6, offsetBytes);
    await flipBit(disk, { partition: 'root-a-verity', text: 'verity' }, architecture);
    const { buffer } = await file.read(Buffer.alloc(6), 0, 6, offsetBytes);
    expect(buffer.toString()).toBe('werity');
  } finally {
    await file.close();
  }
});
