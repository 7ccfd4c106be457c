// SPDX-License-Identifier: Apache-2.0
import type { MeasurementLogs } from '../../attestation/tpm.ts';
import { readBounded } from '../../files/bounded-file.ts';

export interface LogFiles {
  readonly firmware: string;
  readonly userspace: string;
  readonly ima: string;
}

/** What lamactl takes at most; a log above it proves nothing, whole or cut off. */
const LIMITS_BYTES = { firmware: 4 * 1024 * 1024, userspace: 1024 * 1024, ima: 16 * 1024 * 1024 } as const;

/** Reads the logs; one that is not there is empty: a kernel without IMA, a systemd before 254. */
export async function readMeasurementLogs(files: LogFiles): Promise<MeasurementLogs> {
  const read = async (log: keyof LogFiles) =>
    readBounded(files[log], LIMITS_BYTES[log]).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
  return { firmware: await read('firmware'), userspace: await read('userspace'), ima: await read('ima') };
}
