// SPDX-License-Identifier: Apache-2.0
import { copyFile, writeFile } from 'node:fs/promises';
import { run } from '../host/command.ts';

/** ext4's EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), and its flag for "do not flush the journal either". */
const SHUTDOWN = 0x80_04_58_7d;
const GOING_FLAGS_NOLOGFLUSH = 2;

/**
 * The moment of a power cut, for a node that is still there: nothing in it moves any more, and nothing that it has not yet
 * written reaches its disks. Killing alone would not do: the kernel is the host's, and would go on writing for it.
 */
export async function freeze(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/root/sys/fs/cgroup/cgroup.freeze`, '1');
  // The file system shuts down as it does in the kernel's own crash tests: no page and no transaction leaves it from now on.
  const shutDown = `my $how = pack("L", ${GOING_FLAGS_NOLOGFLUSH}); open(F, "<", $ARGV[0]) && ioctl(F, ${SHUTDOWN}, $how) or die "$!\\n"`;
  await run(['perl', '-e', shutDown, `/proc/${pid}/root/var`], { timeoutMs: 10_000 });
}

/** Keeps what a slot's disk holds now, without what RAUC has written to the device and not flushed. Returns the copy. */
export async function keepAsIs(slot: string): Promise<string> {
  const copy = `${slot}.cut`;
  await copyFile(slot, copy);
  return copy;
}
