// SPDX-License-Identifier: Apache-2.0
import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { formatSize } from '../../../shared/size.ts';
import type { Probes } from '../../health/probe.ts';
import { abortable } from '../../timing/abortable.ts';
import { errorReason } from './error-reason.ts';

/** Compares what the file system of a path has left for ordinary users. */
export const freeSpaceProbe: Probes['free-space'] = async ({ path, minimumBytes }, signal) => {
  try {
    const { bavail, bsize } = await abortable(statOnce(path), signal);
    const freeBytes = bavail * bsize;
    const detail = `${formatSize(freeBytes)} free at ${path}, of at least ${formatSize(minimumBytes)}`;
    return { holds: freeBytes >= minimumBytes, detail };
  } catch (error) {
    signal.throwIfAborted();
    return { holds: false, detail: `cannot tell the free space at ${path}: ${errorReason(error)}` };
  }
};

const underWay = new Map<string, Promise<StatsFs>>();

/**
 * A file server that is gone holds the call, and its thread, for good. All file access shares a few threads, so each path gets at
 * most one of them however often it is looked at.
 */
function statOnce(path: string): Promise<StatsFs> {
  const begun = underWay.get(path);
  if (begun) return begun;
  const look = statfs(path).finally(() => underWay.delete(path));
  underWay.set(path, look);
  return look;
}
