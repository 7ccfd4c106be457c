// SPDX-License-Identifier: Apache-2.0
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
  TLSSocket,
} from 'node:tls';
import type { Failure } from '../../shared/failure.ts';
import { clientContext, type Identity, MAX_MESSAGE_BYTES } from '../../shared/tls.ts';
import { hostAndPort } from '../contexts/address.ts';
import { type CallError, errorOfTrailers, GRPC_STATUS } from '../fleet/call-status.ts';
import { callFailure } from './call-failure.ts';
import { whyInvalid } from './certificate-validity.ts';
import type { Method } from './channel.ts';
import type { Target } from './node.ts';

/** gRPC over HTTP/2: a message comes after a byte for its compression and four for its length. */
const PREFIX_BYTES = 5;
/** What a call can come to without the node's saying. */
const { UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL } = GRPC_STATUS;

/**
 * A way to one node for a few calls that are answered once: HTTP/2 as Node has it, and of gRPC what such calls need. It takes half of
 * what a channel of grpc-js does, in time and memory, which counts where a thousand nodes are asked. The first call connects.
 */
export class UnaryChannel {
  readonly #target: Target;
  readonly #timeoutMs: number;
  #socket: TLSSocket | undefined;
  #session: ClientHttp2Session | undefined;
  /** How far the connection has come, which says what its end means. */
  #stage: 'connecting' | 'secure' | 'open' = 'connecting';
  #broken: Error | undefined;

  constructor(target: Target, timeoutMs: number) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
  }

  /** Throws a Failure that names the node. */
  async call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    const answer = await this.#send(method.path, method.requestSerialize(request));
    try {
      return method.responseDeserialize(answer);
    } catch {
      throw this.#failureOf({ code: INTERNAL, details: 'its answer is not of this protocol' });
    }
  }

  close(): void {
    // All calls are answered: to take leave of the session first (GOAWAY) would be one more record for both ends to seal and to open.
    this.#socket?.destroy();
  }

  #send(path: string, message: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#open().request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        'grpc-timeout': `${this.#timeoutMs}m`,
      });
      const timer = setTimeout(() => fail(this.#outOfTime()), this.#timeoutMs);
      const fail = (error: CallError): void => {
        clearTimeout(timer);
        stream.close(constants.NGHTTP2_CANCEL);
        reject(this.#failureOf(error));
      };
      stream.on('error', () => {});
      void read(stream).then(({ message: answer, error }) => {
        clearTimeout(timer);
        if (answer) resolve(answer);
        else fail(error ?? this.#brokenOff());
      });
      stream.end(framed(message));
    });
  }

  #failureOf(error: CallError): Failure {
    const { address, identity } = this.#target;
    return callFailure(error, address, () => whyInvalid(identity.certificate, Date.now()));
  }

  #open(): ClientHttp2Session {
    if (this.#session) return this.#session;
    const { address, tlsName, identity } = this.#target;
    const { host, port } = hostAndPort(address);
    const socket: TLSSocket = connectTls({
      host,
      port,
      secureContext: contextOf(identity),
      // RFC 6066, section 3: a name, and no address.
      servername: isIP(tlsName) === 0 ? tlsName : '',
      ALPNProtocols: ['h2'],
      // RFC 6125: the name is looked for where names belong, and not in the subject.
      checkServerIdentity: (_, { subjectaltname = '' }) => checkServerIdentity(tlsName, { subjectaltname } as PeerCertificate),
    });
    // Node takes every certificate of the chain apart before it asks for that check, which costs as much as the handshake itself.
    socket.getPeerCertificate = () => TLSSocket.prototype.getPeerCertificate.call(socket, false) as DetailedPeerCertificate;
    socket.once('secureConnect', () => {
      this.#stage = 'secure';
    });
    const session = connect(`https://${address}`, { createConnection: () => socket, settings: { enablePush: false } });
    session.once('remoteSettings', () => {
      this.#stage = 'open';
    });
    session.on('error', (error) => {
      this.#broken ??= error;
    });
    [this.#socket, this.#session] = [socket, session];
    return session;
  }

  #outOfTime(): CallError {
    // As grpc-js says it of a connection that never came about.
    if (this.#stage === 'connecting') return { code: DEADLINE_EXCEEDED, details: 'Deadline exceeded, Waiting for LB pick' };
    return { code: DEADLINE_EXCEEDED, details: 'Deadline exceeded' };
  }

  /** A node that does not take the client's certificate lets TLS 1.3 come to its end, and hangs up before it says anything. */
  #brokenOff(): CallError {
    const { code = '', message } = (this.#broken ?? new Error('Connection dropped')) as NodeJS.ErrnoException;
    const details = `${code} ${message}`;
    if (this.#stage === 'secure') return { code: UNAVAILABLE, details: `Last error: Failed to connect (${details})` };
    return { code: UNAVAILABLE, details: this.#stage === 'open' ? `Connection dropped: ${details}` : details };
  }
}

const contexts = new WeakMap<Identity, SecureContext>();

/** One for all nodes of a context. */
function contextOf(identity: Identity): SecureContext {
  const known = contexts.get(identity) ?? clientContext(identity);
  contexts.set(identity, known);
  return known;
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

interface Answered {
  readonly message?: Buffer;
  readonly error?: CallError;
}

/** What a node answered to a call; nothing when the connection broke. */
function read(stream: ClientHttp2Stream): Promise<Answered> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) trailers = headers;
      else if (headers[':status'] !== 200) resolve({ error: { code: INTERNAL, details: `HTTP status ${headers[':status']}` } });
    });
    stream.on('trailers', (headers) => {
      trailers = headers;
    });
    stream.on('data', (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes > MAX_MESSAGE_BYTES + PREFIX_BYTES) resolve({ error: { code: INTERNAL, details: 'its answer is too long' } });
      else parts.push(part);
    });
    stream.on('close', () => resolve(answerOf(Buffer.concat(parts), trailers)));
  });
}

function answerOf(bytes: Buffer, trailers: IncomingHttpHeaders | undefined): Answered {
  if (!trailers) return {};
  const error = errorOfTrailers(trailers);
  if (error) return { error };
  // One message, which is not compressed, for nothing else was asked for.
  const isWhole = bytes.length >= PREFIX_BYTES && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.length - PREFIX_BYTES;
  return isWhole ? { message: bytes.subarray(PREFIX_BYTES) } : { error: { code: INTERNAL, details: 'its answer is no message of gRPC' } };
}
