// SPDX-License-Identifier: Apache-2.0
import http2 from 'node:http2';
import tls from 'node:tls';
import { Metadata } from '@grpc/grpc-js';
import { failureIn } from '../../../agent/shared/status.ts';
import type { Role } from '../../../qemu/pki/test-pki.ts';
import type { Daemon } from '../fakes/real-daemon.ts';
import type { FuzzedCall } from './malformed.ts';

/** A stream that would be open for ever is left after this time; one that had an answer, sooner. */
const PATIENCE_MS = 2_000;
const ANSWERED_MS = 100;
/** Even of a busy machine. */
const DEADLINE_MS = 60_000;

export interface Outcome {
  /** The gRPC status, or how the call ended without one. */
  readonly ended: string;
  /** The failure's code and sentence, where the agent sent one. */
  readonly failure: string;
}

/** A client with a valid certificate that keeps to no other rule. */
export class Attacker {
  readonly #connect: () => tls.TLSSocket;
  #session: http2.ClientHttp2Session | undefined;

  private constructor(connect: () => tls.TLSSocket) {
    this.#connect = connect;
  }

  static async of({ address, pki }: Pick<Daemon, 'address' | 'pki'>, role: Role): Promise<Attacker> {
    const [host = '', port = ''] = address.split(':');
    const { certificate: cert, key } = await pki.client(role);
    const ca = pki.agentAuthority.certificate;
    return new Attacker(() => tls.connect({ host, port: Number(port), ca, servername: 'attic', ALPNProtocols: ['h2'], cert, key }));
  }

  /** Resolves when the call is over, whoever ended it; rejects when nobody did in time. */
  call({ path, headers, pieces }: FuzzedCall): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const stream = this.#open().request({ ...headers, ':path': path }, { endStream: false });
      const late = setTimeout(() => reject(new Error(`The call of ${path} has no end`)), DEADLINE_MS);
      const leave = (): void => {
        stream.close(http2.constants.NGHTTP2_CANCEL);
        // A stream that the agent has closed already, before everything was written to it, would stay half open in Node.
        stream.destroy();
      };
      let patience = setTimeout(leave, PATIENCE_MS);
      let status: http2.IncomingHttpHeaders = {};
      const keep = (sent: http2.IncomingHttpHeaders): void => {
        status = { ...status, ...sent };
        clearTimeout(patience);
        patience = setTimeout(leave, ANSWERED_MS);
      };
      stream
        .on('response', keep)
        .on('trailers', keep)
        .on('error', () => {});
      stream.on('close', () => {
        clearTimeout(late);
        clearTimeout(patience);
        resolve({ ended: String(status['grpc-status'] ?? status[':status'] ?? `reset ${stream.rstCode}`), failure: failureOf(status) });
      });
      stream.resume();
      for (const piece of pieces) stream.write(piece);
      stream.end();
    });
  }

  /** Sends bytes below HTTP/2; resolves when the connection is over. */
  async raw(bytes: Buffer): Promise<void> {
    const socket = this.#connect();
    socket.on('error', () => {}).resume();
    await new Promise<void>((resolve) => {
      setTimeout(() => socket.destroy(), ANSWERED_MS * 3);
      socket.once('close', () => resolve());
      socket.once('secureConnect', () => socket.write(bytes));
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  /** The agent may end a connection that it can make nothing of; then there is another. */
  #open(): http2.ClientHttp2Session {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = http2.connect('https://attic', { createConnection: this.#connect });
      this.#session.on('error', () => {});
    }
    return this.#session;
  }
}

function failureOf(headers: http2.IncomingHttpHeaders): string {
  const details = headers['grpc-status-details-bin'];
  if (typeof details !== 'string') return '';
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(details, 'base64'));
  const failure = failureIn({ metadata, details: decodeURIComponent(String(headers['grpc-message'] ?? '')) });
  return failure ? `${failure.code}: ${failure.message}` : '';
}
