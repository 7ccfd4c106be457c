// SPDX-License-Identifier: Apache-2.0
import http2 from 'node:http2';
import tls from 'node:tls';
import { ask, connect } from '../integration/fakes/agent-client.ts';
import { type Daemon, startDaemon } from '../integration/fakes/real-daemon.ts';

const CONNECTIONS = 2_000;
const OPENED_AT_ONCE = 50;
const PROBES = 20;
const SETTLE_MS = 2_000;

/** What 2,000 idle connections cost the daemon, and how fast it answers meanwhile: the figures as text. */
export async function memoryBenchmark(): Promise<string> {
  const daemon = await startDaemon();
  try {
    const idleBytes = daemon.memory().nowBytes;
    const answeredMs: number[] = [];
    const shake = await shaker(daemon);
    for (let count = 0; count < CONNECTIONS; count += OPENED_AT_ONCE) {
      for (let each = 0; each < OPENED_AT_ONCE; each += 1)
        http2.connect('https://attic', { createConnection: shake }).on('error', () => {});
      if (count % (CONNECTIONS / PROBES) === 0) answeredMs.push(await healthMs(daemon));
    }
    // While they come, this process shakes as many hands as the daemon, and its own answers wait for that.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const afterwardsMs: number[] = [];
    for (let count = 0; count < PROBES; count += 1) afterwardsMs.push(await healthMs(daemon));
    const { nowBytes, peakBytes } = daemon.memory();
    const mib = (bytes: number): string => (bytes / (1 << 20)).toFixed(0).padStart(9);
    return [
      `memory: MiB resident, and milliseconds, under ${CONNECTIONS} connections that do nothing`,
      `${mib(idleBytes)}  idle`,
      `${mib(nowBytes)}  afterwards`,
      `${mib(peakBytes)}  at the most`,
      `${slowest(answeredMs)}  the slowest health check, from a connection of its own, while they come`,
      `${slowest(afterwardsMs)}  and once they are there\n`,
    ].join('\n');
  } finally {
    await daemon.stop();
  }
}

const slowest = (timesMs: readonly number[]): string =>
  Math.max(...timesMs)
    .toFixed(0)
    .padStart(9);

async function shaker({ address, pki }: Daemon): Promise<() => tls.TLSSocket> {
  const [host = '', port = ''] = address.split(':');
  const { certificate: cert, key } = await pki.client('reader');
  const options = { host, port: Number(port), ca: pki.agentAuthority.certificate, servername: 'attic', ALPNProtocols: ['h2'], cert, key };
  return () => tls.connect(options);
}

async function healthMs(daemon: Daemon): Promise<number> {
  const monitor = await connect(daemon, 'monitor');
  const startMs = performance.now();
  await ask(monitor.health, 'check', { service: '' });
  monitor.close();
  return performance.now() - startMs;
}
