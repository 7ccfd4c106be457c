// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { Failure } from '../../shared/failure.ts';
import { BoundedWait } from './bounded-wait.ts';
import type { Connections } from './connections.ts';

/** Who has not shown a certificate within this time has none. As many are as good as any flood's, and few enough for an answer in between. */
const HANDSHAKES = { count: 128, durationMs: 10_000 };

/** Who comes in: those with a certificate that holds, or, where nobody has one yet, whoever comes. */
export type Guests = 'certified' | 'strangers';

/**
 * The one port of the agent: TLS 1.3 in which, but for strangers, both ends show their certificates, before anything else reads a
 * byte. What comes through is counted, and handed on.
 */
export class Door {
  readonly #server: tls.Server;
  readonly #context: () => tls.SecureContextOptions;

  /** `context` is asked for the certificates at the start and at each renewal. */
  constructor(context: () => tls.SecureContextOptions, guests: Guests, connections: Connections, enter: (socket: tls.TLSSocket) => void) {
    this.#context = context;
    const handshakes = new BoundedWait<string>(HANDSHAKES);
    this.#server = tls.createServer({
      ...context(),
      requestCert: guests === 'certified',
      rejectUnauthorized: guests === 'certified',
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      handshakeTimeout: HANDSHAKES.durationMs,
    });
    this.#server.prependListener('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      handshakes.begin(peer, () => socket.destroy());
      // A client may hang up at any moment; it is forgotten then, and that is all.
      socket.on('error', () => {});
      socket.on('close', () => handshakes.end(peer));
    });
    this.#server.on('secureConnection', (socket) => {
      const peer = peerOf(socket);
      handshakes.end(peer);
      socket.on('error', () => {});
      socket.on('close', () => connections.closed(peer));
      const owner = guests === 'certified' ? socket.getPeerCertificate().fingerprint256 : `${socket.remoteAddress}`;
      connections.opened({ peer, owner, close: () => socket.destroy() });
      enter(socket);
    });
  }

  /** Fails with CONFIG_INVALID. `address` is host:port. */
  listen(address: string): Promise<void> {
    const { hostname, port } = new URL(`https://${address}`);
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void =>
        reject(new Failure('CONFIG_INVALID', `Cannot listen on ${address}: ${error.message}`, {}, { cause: error }));
      this.#server.once('error', refused);
      this.#server.listen(Number(port || 443), hostname.replace(/^\[|\]$/g, ''), () => {
        this.#server.off('error', refused);
        resolve();
      });
    });
  }

  /** From now on the certificates are those of now; connections that are open keep what they showed. */
  renew(): void {
    this.#server.setSecureContext(this.#context());
  }

  close(): void {
    this.#server.close();
  }
}

/** As grpc-js names the other end of a call. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;
