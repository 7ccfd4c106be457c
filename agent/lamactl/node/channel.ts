// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';
import {
  type CallOptions,
  ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import { channelOptions, clientContext, type Identity, requireTls13 } from '../../shared/tls.ts';
import { callFailure } from './call-failure.ts';
import { whyInvalid } from './certificate-validity.ts';
import type { ConnectOptions, Target } from './node.ts';

/** What a generated service definition says of a method. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

interface Cancellable {
  cancel(): void;
}

/** The way to one node, over gRPC with mutual TLS 1.3; the first call connects. Whatever fails is a Failure that names the node. */
export class Channel {
  /** With which lamactl proves who asks. */
  readonly certificate: Buffer;
  readonly #address: string;
  readonly #options: ConnectOptions;
  readonly #endsAtMs: number;
  readonly #client: Client;

  constructor({ address, tlsName, identity }: Target, options: ConnectOptions) {
    requireTls13();
    this.certificate = identity.certificate;
    this.#address = address;
    this.#options = options;
    this.#endsAtMs = Date.now() + (options.inAllMs ?? Number.POSITIVE_INFINITY);
    // Without the scheme a host of the name "unix" would be one.
    this.#client = new Client(`dns:${address}`, credentialsOf(identity), channelOptions(tlsName));
  }

  /** The connection's deadline, for a stream that must end by itself. */
  get deadline(): CallOptions {
    return { deadline: Math.min(Date.now() + this.#options.timeoutMs, this.#endsAtMs) };
  }

  call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: Response) => {
        release();
        if (error) reject(this.#failureOf(error));
        else resolve(response as Response);
      };
      const call = this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), this.deadline, done);
      const release = this.#cancelOnAbort(call);
    });
  }

  /** Lives as long as the signal lets it, unless the options say otherwise. */
  async *stream<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response, void> {
    const stream = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), options);
    const release = this.#attend(stream);
    try {
      yield* stream as AsyncIterable<Response>;
    } catch (error) {
      throw this.#failureOf(error);
    } finally {
      release();
    }
  }

  /** Takes what it needs off a stream that must end by itself; unlike `stream`, it sees the session, too. */
  read<Request, Response, Taken>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    take: (stream: ClientReadableStream<Response>) => Promise<Taken>,
  ): Promise<Taken> {
    return this.#during(
      this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), this.deadline),
      take,
    );
  }

  /** Both sides speak until `talk` is done or the node, or the signal, ends it. */
  converse<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    talk: (stream: ClientDuplexStream<Request, Response>) => Promise<void>,
  ): Promise<void> {
    return this.#during(this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata(), {}), talk);
  }

  close(): void {
    this.#client.close();
  }

  async #during<Stream extends Cancellable & EventEmitter, Taken>(
    stream: Stream,
    take: (stream: Stream) => Promise<Taken>,
  ): Promise<Taken> {
    const release = this.#attend(stream);
    try {
      return await take(stream);
    } catch (error) {
      throw this.#failureOf(error);
    } finally {
      release();
    }
  }

  /** Returns what ends the stream. */
  #attend(stream: Cancellable & EventEmitter): () => void {
    // Once nobody iterates, an error (the cancellation itself is one) would have no listener and end lamactl.
    stream.on('error', () => undefined);
    const release = this.#cancelOnAbort(stream);
    return () => {
      release();
      stream.cancel();
    };
  }

  #cancelOnAbort(call: Cancellable): () => void {
    const { signal } = this.#options;
    const cancel = () => call.cancel();
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted) cancel();
    return () => signal?.removeEventListener('abort', cancel);
  }

  #failureOf(error: unknown): Failure {
    if (error instanceof Failure) return error;
    return callFailure(error as ServiceError, this.#address, () => whyInvalid(this.certificate, Date.now()));
  }
}

const credentials = new WeakMap<Identity, ChannelCredentials>();

/** One TLS context for all nodes of a context: making one for each would double the cost of a fan-out. */
function credentialsOf(identity: Identity): ChannelCredentials {
  const known = credentials.get(identity) ?? channelCredentials(identity);
  credentials.set(identity, known);
  return known;
}

/**
 * Credentials of a client; of one whose key is empty, none are shown. The server's certificate is verified against the CA and the
 * name in the channel's options.
 */
function channelCredentials(identity: Identity): ChannelCredentials {
  if (identity.key.length === 0) return ChannelCredentials.createSsl(identity.ca);
  return ChannelCredentials.createFromSecureContext(clientContext(identity));
}
