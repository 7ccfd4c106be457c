// SPDX-License-Identifier: Apache-2.0
import type { Probes } from '../../health/probe.ts';
import { commandProbe } from './command-probe.ts';
import { freeSpaceProbe } from './free-space-probe.ts';
import { httpProbe } from './http-probe.ts';
import { tcpProbe } from './tcp-probe.ts';

/** The conditions that need only the kernel; systemd's own are with its adapter. */
export const linuxProbes = {
  tcp: tcpProbe,
  http: httpProbe,
  command: commandProbe,
  'free-space': freeSpaceProbe,
} satisfies Partial<Probes>;
