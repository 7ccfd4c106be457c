// SPDX-License-Identifier: Apache-2.0
// The floor of a fleet's benchmark: one TLS handshake with each port, 64 at a time, over as many threads as it is told. Reads its orders as a line of JSON.
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface Handshakes {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly host: string;
  readonly ports: readonly number[];
  readonly threads: number;
}

const AT_A_TIME = 64;

async function shakeAll({ ca, certificate: cert, key, host, ports }: Handshakes, atATime: number): Promise<void> {
  const secureContext = tls.createSecureContext({ ca, cert, key, minVersion: 'TLSv1.3' });
  const queue = ports.values();
  const shake = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const servername = `node-${String(port).padStart(5, '0')}.nodes.fleet`;
      const socket = tls.connect({ host, port, secureContext, servername }, () => {
        socket.end();
        resolve();
      });
      socket.on('error', reject);
    });
  const worker = async (): Promise<void> => {
    for (const port of queue) await shake(port);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
}

async function main(): Promise<void> {
  const orders = JSON.parse(readFileSync(0, 'utf8')) as Handshakes;
  if (orders.threads === 1) return shakeAll(orders, AT_A_TIME);
  const parts = Array.from({ length: orders.threads }, (_, part) => orders.ports.filter((_port, index) => index % orders.threads === part));
  await Promise.all(
    parts.map(
      (ports) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(process.argv[1]!, { workerData: { ...orders, ports } });
          worker.once('message', () => resolve());
          worker.once('error', reject);
        }),
    ),
  );
}

if (isMainThread) void main().then(() => process.exit(0));
else {
  const orders = workerData as Handshakes;
  void shakeAll(orders, AT_A_TIME / orders.threads).then(() => parentPort?.postMessage('done'));
}
