// SPDX-License-Identifier: Apache-2.0
import { run } from '../../../host/command.ts';
import { inRoot, WORK } from '../../../root/in-root.ts';
import type { Root } from '../../../root/prepare-root.ts';
import type { Architecture } from '../../architecture.ts';
import { namedPartition } from '../../image/layout.ts';
import type { VmFolder } from '../vm-folder.ts';

const QUICK_MS = 120_000;
const SIGN = `set -e
openssl req -quiet -x509 -newkey rsa:2048 -nodes -subj /CN=somebody -keyout foreign.key -out foreign.crt
mcopy -o -i "$1" "::/EFI/Linux/$2" foreign.efi
sbattach --remove foreign.efi
sbsign --key foreign.key --cert foreign.crt --output foreign.efi foreign.efi
mcopy -o -i "$1" foreign.efi "::/EFI/Linux/$2"`;

/** Signs a slot's UKI anew, and well, with a key that the firmware does not know, on the disk of a machine that is off. */
export async function signWithForeignKey(tools: Root, folder: VmFolder, slot: 'a' | 'b', architecture: Architecture): Promise<void> {
  const { offsetBytes } = await namedPartition(`esp-${slot}`, architecture);
  const command = ['sh', '-c', `cd ${WORK}; ${SIGN}`, 'sh', `disk.img@@${offsetBytes}`, `lamadist-${slot}.efi`];
  await run(inRoot(tools, folder.path, command), { timeoutMs: QUICK_MS });
}
