// SPDX-License-Identifier: Apache-2.0
import { formatSize } from '../../../shared/size.ts';
import type { Probes } from '../../health/probe.ts';
import { abortable } from '../../timing/abortable.ts';
import { errorReason } from './error-reason.ts';
import { statOnce } from './stat-once.ts';

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
