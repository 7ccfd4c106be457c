// SPDX-License-Identifier: Apache-2.0
import { read } from 'node:fs';
import { promisify } from 'node:util';
import type { MeasurementLogs } from '../../attestation/tpm.ts';

/** Open descriptors of the logs, which root alone may open; none of a log that this boot does not have. */
export type LogDescriptors = { readonly [Log in keyof MeasurementLogs]: number | undefined };

/** What lamactl takes at most; a log above it proves nothing, whole or cut off. */
const LIMITS_BYTES = { firmware: 4 << 20, userspace: 1 << 20, ima: 16 << 20 } as const satisfies Record<keyof MeasurementLogs, number>;
const CHUNK_BYTES = 64 << 10;
const readAt = promisify(read);

/** Reads the logs as they are now, each from its start: they grow while the node runs. */
export async function readMeasurementLogs(descriptors: LogDescriptors): Promise<MeasurementLogs> {
  const whole = async (log: keyof MeasurementLogs) => {
    const descriptor = descriptors[log];
    return descriptor === undefined ? Buffer.alloc(0) : readFromStart(descriptor, LIMITS_BYTES[log]);
  };
  return { firmware: await whole('firmware'), userspace: await whole('userspace'), ima: await whole('ima') };
}

async function readFromStart(descriptor: number, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < limitBytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, limitBytes - at));
    const { bytesRead } = await readAt(descriptor, chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    chunks.push(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  return Buffer.concat(chunks);
}
