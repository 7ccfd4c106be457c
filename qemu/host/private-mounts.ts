// SPDX-License-Identifier: Apache-2.0
import path from 'node:path';

/** The command line that runs a command whose mounts nobody else sees, and which are gone with it. */
export function withPrivateMounts(command: readonly [string, ...string[]]): [string, ...string[]] {
  return ['unshare', '--mount', '--propagation', 'unchanged', 'sh', path.join(import.meta.dirname, 'private-mounts.sh'), ...command];
}
