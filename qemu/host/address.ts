// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** The nodes share the host's network and keep apart by addresses of the loopback network: 127.0.1.N. */
const FIRST = 2;
const LAST = 254;
/** Nobody speaks to this port: whoever listens on it has the address, and the kernel ends the claim with the process. */
const CLAIM_PORT = 7442;

export interface ClaimedAddress {
  readonly host: string;
  release(): Promise<void>;
}

/** Claims an address that no other node on this machine has, whichever process it belongs to. */
export async function claimAddress(): Promise<ClaimedAddress> {
  for (let number = FIRST; number <= LAST; number += 1) {
    const host = `127.0.1.${number}`;
    const claim = await listen(host);
    if (claim) return { host, release: () => close(claim) };
  }
  throw new Error(`Cannot give the node an address: all from 127.0.1.${FIRST} to 127.0.1.${LAST} are claimed`);
}

async function listen(host: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).unref();
  try {
    server.listen({ host, port: CLAIM_PORT, exclusive: true });
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function close(server: Server): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
