// SPDX-License-Identifier: Apache-2.0
import type { handleServerStreamingCall, handleUnaryCall, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import { toStatus } from '../../shared/status.ts';

/** What a handler may need beside the request. */
export interface CallContext {
  /** Its address and port. */
  readonly peer: string;
  readonly authContext: ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;
  /** Aborted when the client goes, or its deadline passes. */
  readonly signal: AbortSignal;
}

/** A unary RPC as a function: what it returns is the answer, what it throws is the status. */
export function unary<Request, Response>(
  answer: (request: Request, context: CallContext) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const context = { peer: call.getPeer(), authContext: call.getAuthContext(), signal: gone.signal };
    Promise.resolve()
      .then(() => answer(call.request, context))
      .then(
        (response) => callback(null, response),
        (error) => callback(toStatus(Failure.from(error))),
      );
  };
}

/** A server-streaming RPC as a generator: each value is a message, its end is the stream's, what it throws is the status. */
export function serverStream<Request, Response>(
  answer: (request: Request, context: CallContext) => AsyncIterable<Response>,
): handleServerStreamingCall<Request, Response> {
  return (call) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const context = { peer: call.getPeer(), authContext: call.getAuthContext(), signal: gone.signal };
    void pump(call, answer(call.request, context), gone.signal);
  };
}

async function pump<Response>(
  call: ServerWritableStream<unknown, Response>,
  messages: AsyncIterable<Response>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const message of messages) {
      if (signal.aborted) return;
      await taken(call, message, signal);
    }
    call.end();
  } catch (error) {
    if (!signal.aborted) call.emit('error', toStatus(Failure.from(error)));
  }
}

/** Resolves when the client has taken the message, or is gone: of each stream no more than one message waits in memory. */
function taken<Response>(call: ServerWritableStream<unknown, Response>, message: Response, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done, { once: true });
    call.write(message, done);
  });
}
