// SPDX-License-Identifier: Apache-2.0
import type { VirtualNode } from '../../qemu/driver.ts';
import { shellOk } from '../integration/node/ask-node.ts';

export type Encrypted = 'root-a' | 'root-b' | 'var';

/** What says which LUKS2 a partition is: its header's UUID. */
export const luksUuid = async (node: VirtualNode, partition: Encrypted): Promise<string> =>
  (await shellOk(node, `cryptsetup luksUUID /dev/disk/by-partlabel/${partition}`)).trim();

/** The metadata of a partition's header, in JSON: keys, and the tokens that open them. */
export const luksMetadata = (node: VirtualNode, partition: Encrypted): Promise<string> =>
  shellOk(node, `cryptsetup luksDump --dump-json-metadata /dev/disk/by-partlabel/${partition}`);

const MAPPED = { 'root-a': 'root-a', 'root-b': 'root-b', var: '"$(basename "$(findmnt -no SOURCE /var)")"' } as const;

/** What the node has open in the partition's place, as the device mapper tells: "0 1048576 crypt …". */
export const mapping = (node: VirtualNode, partition: Encrypted): Promise<string> => shellOk(node, `dmsetup table ${MAPPED[partition]}`);
export const ENCRYPTED = /^0 \d+ crypt /;
