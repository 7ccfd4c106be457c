// SPDX-License-Identifier: Apache-2.0
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { toStatus } from '../../shared/status.ts';
import type { AuditLog } from '../access/audit-log.ts';
import type { Caller } from '../access/caller.ts';
import { isMutating, leastRole, mayCall } from '../access/roles.ts';
import type { Callers } from './callers.ts';

type InnerCall = ConstructorParameters<typeof ServerInterceptingCall>[0];
type Status = Parameters<InnerCall['sendStatus']>[0];

/**
 * Stands before every RPC: names the caller, holds the call against the table of roles, and writes mutating calls to the
 * audit log, refused ones too, before they are answered.
 */
export function guard(callers: Callers, audit: Pick<AuditLog, 'append'>, log: Logger): ServerInterceptor {
  return (method, call) => {
    const caller = authorise(method.path, callers, call);
    if (caller instanceof Failure) log.warn({ rpc: method.path, code: caller.code }, 'A call was refused');
    let request: unknown = null;
    let refused = caller instanceof Failure;
    return new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder().withOnReceiveMessage((message, pass) => {
          request = message;
          pass(message);
        });
        if (!(caller instanceof Failure)) return next(listener.build());
        // A listener that passes nothing on: the handler never learns of the call.
        next({ onReceiveMetadata: () => {}, onReceiveMessage: () => {}, onReceiveHalfClose: () => {} });
        refuse(caller);
      },
      sendStatus(result, next) {
        if (!isMutating(method.path) || refused) return next(result);
        void recorded(result).then(next);
      },
    });

    function refuse(failure: Failure): void {
      const result = toStatus(failure);
      if (isMutating(method.path)) void recorded(result, failure.code).then((final) => call.sendStatus(final));
      else call.sendStatus(result);
      refused = true;
    }

    async function recorded(result: Status, code?: string): Promise<Status> {
      const who = caller instanceof Failure ? { name: 'unknown', role: 'none', certificateSha256: '' } : caller;
      try {
        await audit.append({
          at: new Date().toISOString(),
          caller: who.name,
          role: who.role,
          certificateSha256: who.certificateSha256,
          rpc: method.path,
          result: code ?? (status[result.code ?? status.UNKNOWN] as string),
          request,
        });
        return result;
      } catch (error) {
        log.error({ err: error }, 'A call could not be written to the audit log');
        return toStatus(Failure.from(error));
      }
    }
  };
}

function authorise(path: string, callers: Callers, call: InnerCall): Caller | Failure {
  try {
    const caller = callers.of(call.getAuthContext());
    if (mayCall(caller.role, path)) return caller;
    const message = `Cannot call ${path}: "${caller.name}" is ${caller.role}, and the least role for it is ${leastRole(path)}`;
    return new Failure('PERMISSION_DENIED', message);
  } catch (error) {
    return Failure.from(error);
  }
}
