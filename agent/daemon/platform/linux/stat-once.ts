// SPDX-License-Identifier: Apache-2.0
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';

const underWay = new Map<string, Promise<StatsFs>>();

/**
 * A file server that is gone holds the call, and its thread, for good. All file access shares a few threads, so each path gets at
 * most one of them however often it is looked at.
 */
export function statOnce(path: string): Promise<StatsFs> {
  const begun = underWay.get(path);
  if (begun) return begun;
  const look = statfs(path).finally(() => underWay.delete(path));
  underWay.set(path, look);
  return look;
}
