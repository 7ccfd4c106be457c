// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { debianProgram } from '../integration/fakes/debian-program.ts';
import { freePort } from '../integration/fakes/free-port.ts';
import { startDaemon } from '../integration/fakes/real-daemon.ts';

const SCRAPES = 200;
const WARM_UP = 30;
/** The kernel's USER_HZ, time(7). */
const TICKS_PER_SECOND = 100;
const START_TIMEOUT_MS = 10_000;

/** CPU time of one scrape of the agent, and of one of node_exporter, as processes of their own: the figures as text. */
export async function metricsBenchmark(): Promise<string> {
  const exporter = await debianProgram('usr/bin/prometheus-node-exporter', 'prometheus-node-exporter');
  const address = `127.0.0.1:${await freePort()}`;
  const process = spawn(exporter, [`--web.listen-address=${address}`, '--log.level=error'], { stdio: 'ignore' });
  const daemon = await startDaemon();
  try {
    await answers(address);
    const theirs = await cpuMsOfScrape(address, process.pid as number);
    const ours = await cpuMsOfScrape(daemon.metricsAddress, daemon.pid);
    const line = (name: string, { cpuMs, series }: Scraped) => `  ${cpuMs.toFixed(2).padStart(9)}  ${name} (${series} series)\n`;
    return `metrics: milliseconds of CPU time a scrape\n${line('lamadist-agent', ours)}${line('node_exporter', theirs)}  ratio ${(ours.cpuMs / theirs.cpuMs).toFixed(2)}\n`;
  } finally {
    process.kill();
    await daemon.stop();
  }
}

interface Scraped {
  readonly cpuMs: number;
  readonly series: number;
}

async function cpuMsOfScrape(address: string, pid: number): Promise<Scraped> {
  for (let count = 0; count < WARM_UP; count += 1) await scrape(address);
  const before = cpuSeconds(pid);
  let text = '';
  for (let count = 0; count < SCRAPES; count += 1) text = await scrape(address);
  const cpuMs = ((cpuSeconds(pid) - before) * 1000) / SCRAPES;
  return { cpuMs, series: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length };
}

const scrape = async (address: string): Promise<string> => (await fetch(`http://${address}/metrics`)).text();

async function answers(address: string): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await scrape(address);
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** User and system time of a process, proc_pid_stat(5): fields 14 and 15, counted after the name, which may hold blanks. */
function cpuSeconds(pid: number): number {
  const [, after = ''] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const fields = after.split(' ').map(Number);
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) / TICKS_PER_SECOND;
}
