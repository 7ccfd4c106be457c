// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { Failure } from '../../../shared/failure.ts';

/**
 * Makes sure, before RAUC is asked to open it, that a path leads to a regular file: RAUC opens a FIFO, or a device, as well,
 * and then answers nobody any more. A location that is no path is none of its business.
 */
export async function requireBundleFile(location: string): Promise<void> {
  if (!location.startsWith('/')) return;
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(location);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const seen = code === 'ENOENT' ? 'there is no such file, or it lies where the agent cannot see it: /tmp, /home, /root' : code;
    throw new Failure('BUNDLE_NOT_FOUND', `Cannot open the bundle "${location}": ${seen}`, {}, { cause: error });
  }
  if (!found.isFile()) throw new Failure('BUNDLE_INVALID', `Cannot open the bundle "${location}": it is not a regular file`);
}
