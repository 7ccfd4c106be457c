// SPDX-License-Identifier: Apache-2.0
import { readKernelFile } from './kernel-file.ts';

export interface Mount {
  /** The device's `major:minor`; a major of 0 is no block device. */
  readonly device: string;
  readonly mountPoint: string;
  readonly type: string;
  /** What was mounted, as whoever mounted it named it. */
  readonly source: string;
  /** Of the file system itself, whatever this mount of it allows. */
  readonly readOnly: boolean;
}

/** The mounts that this process sees, in the order in which they were made. */
export async function readMounts(root = ''): Promise<readonly Mount[]> {
  const text = (await readKernelFile(`${root}/proc/self/mountinfo`)) ?? '';
  return text.split('\n').flatMap(parseMount);
}

/** The mount that a path is on: of those around it the innermost, and of those on one place the last. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const around = mounts.filter(({ mountPoint }) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`));
  const depth = Math.max(...around.map(({ mountPoint }) => mountPoint.length));
  return around.findLast(({ mountPoint }) => mountPoint.length === depth);
}

/** proc_pid_mountinfo(5): `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/sda1 rw,errors=continue`. */
function parseMount(line: string): Mount[] {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [device, , mountPoint] = fields.slice(2);
  const [type, source, options] = fields.slice(separator + 1);
  if (separator < 0 || !device || !mountPoint || !type || source === undefined || !options) return [];
  return [{ device, mountPoint: unescaped(mountPoint), type, source: unescaped(source), readOnly: options.split(',').includes('ro') }];
}

/** Blanks, line ends and backslashes are written as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
