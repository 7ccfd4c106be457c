// SPDX-License-Identifier: Apache-2.0

/** Throws unless this process is root: what is made here are mounts, loop devices, namespaces and files of other users. */
export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new Error(`Cannot ${what}: it needs root (mounts, loop devices, namespaces)`);
}
