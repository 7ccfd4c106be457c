// SPDX-License-Identifier: Apache-2.0
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import { type Caller, callerOf } from '../access/caller.ts';

type AuthContext = ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;

const REMEMBERED = 256;

/** The callers behind connections. A certificate is parsed once, not with every call. */
export class Callers {
  readonly #known = new Map<string, Caller>();

  /** Throws UNAUTHENTICATED when the connection has no verified certificate, or one that is no caller's. */
  of(context: AuthContext): Caller {
    const certificate = context.sslPeerCertificate;
    if (!certificate) throw new Failure('UNAUTHENTICATED', 'Cannot answer: the connection has no client certificate');
    let caller = this.#known.get(certificate.fingerprint256);
    if (!caller) {
      caller = callerOf(certificate.raw);
      if (this.#known.size >= REMEMBERED) this.#known.clear();
      this.#known.set(certificate.fingerprint256, caller);
    }
    // TLS looked at the dates when the connection began; it may have outlived them since.
    if (caller.notAfter.getTime() < Date.now()) {
      throw new Failure('UNAUTHENTICATED', `Cannot accept the certificate of "${caller.name}": it expired`);
    }
    return caller;
  }
}
