// SPDX-License-Identifier: Apache-2.0
import { CPU_MODES, type CpuMode, type CpuReadings } from '../../../node/host-readings.ts';

/** The kernel's USER_HZ, which is 100 on every architecture that a node has, time(7). */
const TICKS_PER_SECOND = 100;

/** Reads /proc/stat, proc_stat(5). */
export function parseStat(text: string): CpuReadings {
  const cores: { cpu: string; seconds: Record<CpuMode, number> }[] = [];
  const counters = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name = '', ...values] = line.split(/\s+/);
    if (/^cpu\d+$/.test(name)) {
      const seconds = CPU_MODES.map((mode, index) => [mode, Number(values[index] ?? 0) / TICKS_PER_SECOND]);
      cores.push({ cpu: name.slice('cpu'.length), seconds: Object.fromEntries(seconds) });
    } else {
      counters.set(name, Number(values[0]));
    }
  }
  const counter = (name: string): number => counters.get(name) ?? 0;
  return {
    cores,
    bootedAtSeconds: counter('btime'),
    contextSwitches: counter('ctxt'),
    forks: counter('processes'),
    running: counter('procs_running'),
    blocked: counter('procs_blocked'),
  };
}
