// SPDX-License-Identifier: Apache-2.0
import type { HostReadings, PressureReadings } from '../../../node/host-readings.ts';

/** Reads /proc/loadavg, proc_loadavg(5): `0.20 0.18 0.12 1/80 11206`. */
export function parseLoadavg(text: string): HostReadings['load'] {
  const [one = Number.NaN, five = Number.NaN, fifteen = Number.NaN] = text.split(' ').map(Number);
  return [one, five, fifteen];
}

/** Reads a file of /proc/pressure (the kernel's accounting/psi): two lines, `some avg10=0.00 … total=12345` and `full …`, in µs. */
export function parsePressure(resource: PressureReadings['resource'], text: string): PressureReadings {
  const total = (kind: string): number => Number(new RegExp(`^${kind} .*total=(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1e6;
  return { resource, someSeconds: total('some'), allSeconds: total('full') };
}

/** Reads /proc/sys/fs/file-nr, proc_sys_fs(5): `1024 0 9223372036854775807`. */
export function parseFileNr(text: string): HostReadings['files'] {
  const [open = 0, , maximum = 0] = text.split(/\s+/).map(Number);
  return { open, maximum };
}
