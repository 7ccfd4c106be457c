// SPDX-License-Identifier: Apache-2.0
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { failureIn, toStatus } from '../../shared/status.ts';
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
    const { caller, refusal } = admit(method.path, callers, call);
    if (refusal) log.warn({ rpc: method.path, caller: caller?.name, code: refusal.code }, 'A call was refused');
    let request: unknown = null;
    let recorded = !isMutating(method.path);
    return new ServerInterceptingCall(call, {
      start(next) {
        if (refusal) {
          // A listener that passes nothing on: the handler never learns of the call.
          next({ onReceiveMetadata: () => {}, onReceiveMessage: () => {}, onReceiveHalfClose: () => {} });
          void record(toStatus(refusal)).then((result) => call.sendStatus(result));
          return;
        }
        const listener = new ServerListenerBuilder()
          .withOnReceiveMessage((message, pass) => {
            // Of a stream, the first: it says what the stream is about, and the others are its content.
            request ??= message;
            pass(message);
          })
          // Who hangs up, or runs out of time, gets no answer; what was asked for may have been done all the same.
          .withOnCancel(() => void record({ code: status.CANCELLED, details: '' }));
        next(listener.build());
      },
      sendStatus(result, next) {
        void record(result).then(next);
      },
    });

    /** Writes the call down, once. Resolves with the status to answer it with. */
    async function record(result: Status): Promise<Status> {
      if (recorded) return result;
      recorded = true;
      try {
        await audit.append({
          at: new Date().toISOString(),
          caller: caller?.name ?? 'unknown',
          role: caller?.role ?? 'none',
          certificateSha256: caller?.certificateSha256 ?? '',
          rpc: method.path,
          result: failureIn(result)?.code ?? (status[result.code ?? status.UNKNOWN] as string),
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

interface Admission {
  /** Who calls, as far as is known. */
  readonly caller?: Caller;
  readonly refusal?: Failure;
}

function admit(path: string, callers: Callers, call: InnerCall): Admission {
  try {
    const caller = callers.of(call.getAuthContext());
    if (mayCall(caller.role, path)) return { caller };
    const message = `Cannot call ${path}: "${caller.name}" is ${caller.role}, and the least role for it is ${leastRole(path)}`;
    return { caller, refusal: new Failure('PERMISSION_DENIED', message) };
  } catch (error) {
    return { refusal: Failure.from(error) };
  }
}
