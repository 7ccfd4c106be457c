// SPDX-License-Identifier: Apache-2.0
import type tls from 'node:tls';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { MAX_MESSAGE_BYTES } from '../../shared/tls.ts';
import type { Connections } from './connections.ts';
import { Door } from './door.ts';

export interface Service {
  /** The full name, for example lamadist.agent.v1.UpdateService. */
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** What a request can be at most: the largest part of a bundle (1 MiB), and a few words around it. */
const MAX_REQUEST_BYTES = (1 << 20) + 1024;
/** Of one connection. */
const MAX_STREAMS = 64;
/** Answers that one client did not fetch yet; beyond it new calls are refused. */
const MAX_SESSION_MEGABYTES = 4;
/** Long enough for a stream to finish its message, short enough for a revoked certificate. */
const DRAIN_MS = 5_000;
/** The node may be asked to reboot, and the answer must leave before the agent does. */
const CLOSE_MS = 500;

/** The gRPC edge of the daemon: one port, mutual TLS, and the guard before every service. */
export class RpcServer {
  readonly #server: Server;
  readonly #door: Door;
  readonly #inside: ConnectionInjector;
  readonly #connections: Connections;

  /** `context` is asked for the certificates of now, at the start and at each renewal. */
  constructor(services: readonly Service[], guard: ServerInterceptor, context: () => tls.SecureContextOptions, connections: Connections) {
    this.#connections = connections;
    this.#server = new Server({
      interceptors: [guard],
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS,
      'grpc-node.max_session_memory': MAX_SESSION_MEGABYTES,
      // It would remember every connection; nobody can ask it, for its service is not served.
      'grpc.enable_channelz': 0,
      // Without limits a connection that its client forgot stays, and its memory with it.
      'grpc.max_connection_age_ms': 3_600_000,
      'grpc.max_connection_age_grace_ms': 60_000,
      'grpc.max_connection_idle_ms': 300_000,
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 10_000,
    });
    for (const { definition, implementation } of services) this.#server.addService(definition, implementation);
    // grpc-js sees only connections that came through the door, so it has no TLS of its own to do.
    this.#inside = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#door = new Door(context, connections, (socket) => this.#inside.injectConnection(socket));
  }

  /** `address` is host:port. Fails with CONFIG_INVALID. */
  listen(address: string): Promise<void> {
    return this.#door.listen(address);
  }

  /** Takes the certificates of now, and ends the connections of before: their clients come back and show theirs again. */
  renew(): void {
    this.#door.renew();
    this.#inside.drain(DRAIN_MS);
  }

  /** Lets the answers that are under way go out, for a moment, and then ends the rest: whoever watches comes back. */
  close(): Promise<void> {
    this.#door.close();
    return new Promise((resolve) => {
      const force = setTimeout(() => this.#connections.closeAll(), CLOSE_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
