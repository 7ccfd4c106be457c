// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

const CONNECT_MS = 30_000;

/** A connection to a socket of a machine that is on. An error of it later on shows as its "close". */
export async function connectTo(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_MS) }).catch((cause: Error) => {
    socket.destroy();
    throw new Error(`Cannot reach the machine at ${path}: ${cause.message}`, { cause });
  });
  return socket.on('error', () => {});
}
