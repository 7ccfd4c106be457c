// SPDX-License-Identifier: Apache-2.0

/** Where this daemon keeps its files: systemd names the first two (StateDirectory=, RuntimeDirectory=). */
export function foldersOf(env: NodeJS.ProcessEnv) {
  return {
    state: env.STATE_DIRECTORY ?? '/var/lib/lamadist-agent',
    runtime: env.RUNTIME_DIRECTORY ?? '/run/lamadist-agent',
    records: '/var/lib/lamadist-trial',
  };
}

export type Folders = ReturnType<typeof foldersOf>;
