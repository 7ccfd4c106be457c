// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import type { Architecture } from '../../architecture.ts';
import { namedPartition } from '../../image/layout.ts';

/** A place in a partition: so many octets from its beginning, or where a text first stands. */
export type TamperPlace = { readonly partition: string } & ({ readonly offsetBytes: number } | { readonly text: string });

/** Flips the lowest bit of the octet in this place of a machine's disk image. */
export async function flipBit(disk: string, place: TamperPlace, architecture: Architecture): Promise<void> {
  const partition = await namedPartition(place.partition, architecture);
  const file = await open(disk, 'r+');
  try {
    const content = Buffer.alloc(partition.sizeBytes);
    await file.read(content, 0, content.length, partition.offsetBytes);
    const offset = 'text' in place ? content.indexOf(place.text) : place.offsetBytes;
    if (offset < 0) throw new Error(`Cannot change a bit of ${place.partition}: the text is not in it`);
    await file.write(Buffer.of(content[offset]! ^ 1), 0, 1, partition.offsetBytes + offset);
  } finally {
    await file.close();
  }
}
