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
import { Door, type Guests } from './door.ts';

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
/** How long what is under way may go on over a connection of before a renewal. New calls come over new connections at once. */
const DRAIN_MS = {
  /** Long enough for a stream to finish its message, short enough for a revoked certificate. */
  narrower: 5_000,
  /** Who was let in would be again: a watcher, or a bundle on its way, need not begin anew. */
  wider: 600_000,
} as const;
/** The node may be asked to reboot, and the answer must leave before the agent does. */
const CLOSE_MS = 500;

export interface RpcServerParts {
  readonly services: readonly Service[];
  readonly guard: ServerInterceptor;
  readonly guests: Guests;
  /** Asked for the certificates of now, at the start and at each renewal. */
  readonly context: () => tls.SecureContextOptions;
  readonly connections: Connections;
}

/** The gRPC edge of the daemon: one port, TLS, and the guard before every service. */
export class RpcServer {
  readonly #server: Server;
  readonly #door: Door;
  #inside: ConnectionInjector;
  readonly #connections: Connections;

  constructor({ services, guard, guests, context, connections }: RpcServerParts) {
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
    this.#inside = this.#newInside();
    this.#door = new Door(context, guests, connections, (socket) => this.#inside.injectConnection(socket));
  }

  /** `address` is host:port. Fails with CONFIG_INVALID. */
  listen(address: string): Promise<void> {
    return this.#door.listen(address);
  }

  /** Takes the certificates of now, and ends the connections of before: their clients come back and show theirs again. */
  renew({ narrower }: { readonly narrower: boolean }): void {
    const graceMs = narrower ? DRAIN_MS.narrower : DRAIN_MS.wider;
    const before = this.#inside;
    this.#door.renew();
    // What grpc-js drains it drains whole, with the connections that come meanwhile; so those come elsewhere.
    this.#inside = this.#newInside();
    before.drain(graceMs);
    setTimeout(() => before.destroy(), graceMs + CLOSE_MS).unref();
  }

  #newInside(): ConnectionInjector {
    return this.#server.createConnectionInjector(ServerCredentials.createInsecure());
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
