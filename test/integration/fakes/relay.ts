// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and counts what the client sends. */
export interface Relay {
  /** Where the client connects to instead. */
  readonly address: string;
  /** Since the start, over all connections. */
  readonly sentBytes: number;
  close(): void;
}

/** Passes every connection on as it is: TLS goes through unread. */
export async function relayTo(host: string, port: number): Promise<Relay> {
  let sentBytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const node = connect(port, host);
    for (const [socket, other] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => other.destroy());
    }
    client.on('data', (data) => {
      sentBytes += data.length;
    });
    client.pipe(node).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sentBytes() {
      return sentBytes;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
