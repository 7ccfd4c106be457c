// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { selfSignedCertificate } from '../../../agent/daemon/access/own-certificate.ts';

/** Stands before an unclaimed node with a key of its own, and passes on every byte that the two sides say inside of TLS. */
export async function manInTheMiddle(address: string): Promise<{ readonly address: string; close(): void }> {
  const { hostname: host, port } = new URL(`https://${address}`);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = tls.createServer({ cert: await selfSignedCertificate(privateKey), key, ALPNProtocols: ['h2'] }, (client) => {
    const node = tls.connect({ host, port: Number(port), ALPNProtocols: ['h2'], rejectUnauthorized: false });
    for (const [from, to] of [
      [client, node],
      [node, client],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
    }
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
