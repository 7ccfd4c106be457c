// SPDX-License-Identifier: Apache-2.0
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { Failure } from '../../shared/failure.ts';
import { failureIn, toStatus } from '../../shared/status.ts';
import type { AuditLog } from '../access/audit-log.ts';
import { RefusalBudget } from '../access/refusal-budget.ts';
import { isMutating } from '../access/roles.ts';
import type { Admit } from './admission.ts';
import { BoundedWait } from './bounded-wait.ts';
import type { Connections } from './connections.ts';
import { digestOf } from './messages/request-digest.ts';
import { withoutSecrets } from './messages/secret-fields.ts';

type InnerCall = ConstructorParameters<typeof ServerInterceptingCall>[0];
type Responder = ConstructorParameters<typeof ServerInterceptingCall>[1];
type Status = Parameters<InnerCall['sendStatus']>[0];

export interface GuardParts {
  readonly admit: Admit;
  readonly connections: Connections;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly log: Logger;
}

/** How long, and how many, clients may keep the agent waiting. */
const PATIENCE = {
  /** Calls whose request has not come yet: a client sends the two together. Half a request can be as large as a whole one. */
  requests: { count: 128, durationMs: 10_000 },
  /** Answers that their clients do not read: one of each call that there may be. */
  answers: { count: 512, durationMs: 30_000 },
};

/** All of them together, of what a node refuses that anybody may ask for something. */
const OF_STRANGERS = { written: 10, windowMs: 3_600_000 };

/**
 * Stands before every RPC: names the caller, holds the call against the table of roles and the number of calls that there may
 * be, and writes mutating calls to the audit log, refused ones too, before they are answered: not all that strangers are refused, nor
 * at length, for it must not push out what is worth keeping. Who neither asks nor reads is hung up on.
 */
export function guard({ admit, connections, audit, log }: GuardParts, patience = PATIENCE): ServerInterceptor {
  const requests = new BoundedWait<InnerCall>(patience.requests);
  const answers = new BoundedWait<InnerCall>(patience.answers);
  const budgets = {
    known: new RefusalBudget(() => performance.now()),
    strangers: new RefusalBudget(() => performance.now(), OF_STRANGERS),
  };

  return (method, call) => {
    const peer = call.getPeer();
    const { caller, refusal } = admit(method.path, call.getAuthContext(), peer);
    let admitted = false;
    let request: unknown = null;
    let recorded = !isMutating(method.path);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, pass) => {
        // From here on grpc-js tells of the call's end, whatever it is.
        admitted = !refusal && connections.callBegan(peer);
        if (!admitted) return refuse(refusal ?? new Failure('TOO_MANY_CALLS', `Cannot call ${method.path}: too many calls are open`));
        requests.begin(call, hangUp('A client began a call and sent no request'));
        pass(metadata);
      })
      .withOnReceiveMessage((message, pass) => {
        requests.end(call);
        // Of a stream, the first: it says what the stream is about, and the others are its content.
        request ??= withoutSecrets(message);
        // Of a call that was refused, the handler never learns.
        if (admitted) pass(message);
      })
      .withOnReceiveHalfClose((pass) => {
        if (admitted) pass();
      })
      .withOnCancel(() => {
        requests.end(call);
        answers.end(call);
        if (admitted) connections.callEnded(peer);
        // Who hangs up, or runs out of time, gets no answer; what was asked for may have been done all the same.
        void record({ code: status.CANCELLED, details: '' });
      });
    const responder: Responder = {
      start: (next) => next(listener.build()),
      sendStatus: (result, next) => void record(result).then(next),
    };
    return new WatchedCall(call, responder, {
      begun: () => answers.begin(call, hangUp('A client does not read the answers to its call')),
      taken: () => answers.end(call),
    });

    function refuse(failure: Failure): void {
      log.warn({ rpc: method.path, caller: caller?.name, code: failure.code }, 'A call was refused');
      void record(toStatus(failure)).then((result) => call.sendStatus(result));
    }

    function hangUp(why: string): () => void {
      return () => {
        log.warn({ rpc: method.path, caller: caller?.name, peer }, why);
        connections.close(peer);
      };
    }

    /** Writes the call down, once. Resolves with the status to answer it with. */
    async function record(result: Status): Promise<Status> {
      if (recorded) return result;
      recorded = true;
      const isRefused = refusal !== undefined || (caller === undefined && result.code !== status.OK);
      const leftOut = isRefused ? (caller ? budgets.known : budgets.strangers).take(caller?.name ?? 'unknown') : 0;
      if (leftOut === undefined) return result;
      try {
        await audit.append({
          at: new Date().toISOString(),
          caller: caller?.name ?? 'unknown',
          role: caller?.role ?? 'none',
          certificateSha256: caller?.certificateSha256 ?? '',
          rpc: method.path,
          result: failureIn(result)?.code ?? (status[result.code ?? status.UNKNOWN] as string),
          request: isRefused && !caller ? digestOf(request) : request,
          ...(leftOut > 0 && { leftOut }),
        });
        return result;
      } catch (error) {
        log.error({ err: error }, 'A call could not be written to the audit log');
        return toStatus(Failure.from(error));
      }
    }
  };
}

/** A call that knows when the client took its answer, which grpc-js tells to nobody else. */
class WatchedCall extends ServerInterceptingCall {
  readonly #answer: { begun(): void; taken(): void };

  constructor(call: InnerCall, responder: Responder, answer: { begun(): void; taken(): void }) {
    super(call, responder);
    this.#answer = answer;
  }

  override sendMessage(message: unknown, callback: () => void): void {
    this.#answer.begun();
    super.sendMessage(message, () => {
      this.#answer.taken();
      callback();
    });
  }
}
