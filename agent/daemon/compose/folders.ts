// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { KnownFolder } from '../node/disk-usage.ts';

/** Where this daemon keeps its files: systemd names the first two (StateDirectory=, RuntimeDirectory=). */
export function foldersOf(env: NodeJS.ProcessEnv) {
  return {
    state: env.STATE_DIRECTORY ?? '/var/lib/lamadist-agent',
    runtime: env.RUNTIME_DIRECTORY ?? '/run/lamadist-agent',
    records: '/var/lib/lamadist-trial',
    /** Where lamadist-media@.service shows removable media. */
    media: '/run/lamadist-media',
  };
}

export type Folders = ReturnType<typeof foldersOf>;

/** The folders that grow, for whoever wonders what fills the disk. */
export function keptFolders({ state }: Folders): readonly KnownFolder[] {
  return [
    { path: state, description: 'all that the agent keeps' },
    { path: join(state, 'download'), description: 'a bundle on its way' },
    { path: join(state, 'history'), description: 'updates that ended' },
    { path: join(state, 'rollouts'), description: 'records of rollouts' },
    { path: join(state, 'events'), description: 'what happened' },
    { path: '/var/log/journal', description: "the node's log" },
  ];
}
