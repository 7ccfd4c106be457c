// SPDX-License-Identifier: Apache-2.0
import {
  Server,
  type ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import { MAX_MESSAGE_BYTES } from '../../shared/tls.ts';

export interface Service {
  /** The full name, for example lamadist.agent.v1.UpdateService. */
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** What a request can be at most: the largest part of a bundle (1 MiB), and a few words around it. */
const MAX_REQUEST_BYTES = (1 << 20) + 1024;
/** Long enough for a stream to finish its message, short enough for a revoked certificate. */
const DRAIN_MS = 5_000;
/** The node may be asked to reboot, and the answer must leave before the agent does. */
const CLOSE_MS = 500;

/** The gRPC edge of the daemon: one port, mutual TLS, and the guard before every service. */
export class RpcServer {
  readonly #server: Server;
  readonly #address: string;

  /** `address` is host:port; the port is not 0, for connections could not be drained then. */
  constructor(address: string, services: readonly Service[], guard: ServerInterceptor) {
    this.#address = address;
    this.#server = new Server({
      interceptors: [guard],
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': 64,
      // Without limits a connection that its client forgot stays, and its memory with it.
      'grpc.max_connection_age_ms': 3_600_000,
      'grpc.max_connection_age_grace_ms': 60_000,
      'grpc.max_connection_idle_ms': 300_000,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
    });
    for (const { definition, implementation } of services) this.#server.addService(definition, implementation);
  }

  listen(credentials: ServerCredentials): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(this.#address, credentials, (error) => {
        if (!error) return resolve();
        reject(new Failure('CONFIG_INVALID', `Cannot listen on ${this.#address}: ${error.message}`, {}, { cause: error }));
      });
    });
  }

  /** Ends the connections of now, so that their clients come back and show their certificates again. */
  drain(): void {
    this.#server.drain(this.#address, DRAIN_MS);
  }

  /** Lets the answers that are under way go out, for a moment, and then ends the rest: whoever watches comes back. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const force = setTimeout(() => this.#server.forceShutdown(), CLOSE_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
