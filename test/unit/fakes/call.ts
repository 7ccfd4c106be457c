// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import type { handleServerStreamingCall, handleUnaryCall, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { failureIn } from '../../../agent/shared/status.ts';

function fakeCall(request: object) {
  const call = new EventEmitter();
  return Object.assign(call, { request, getAuthContext: () => ({}), getPeer: () => '192.0.2.1:49152' });
}

/** Calls a unary handler as grpc-js does; rejects with the Failure that it answers with. */
export function callUnary<Request extends object, Response>(
  handler: handleUnaryCall<Request, Response>,
  request: Partial<Request> = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    handler(fakeCall(request) as unknown as ServerUnaryCall<Request, Response>, (error, response) => {
      if (error) reject(failureIn(error) ?? error);
      else resolve(response as Response);
    });
  });
}

/** Calls a streaming handler whose stream takes everything; resolves, when it ends, with all messages. */
export function callStream<Request extends object, Response>(
  handler: handleServerStreamingCall<Request, Response>,
  request: Partial<Request>,
): Promise<Response[]> {
  return new Promise((resolve, reject) => {
    const messages: Response[] = [];
    const stream = Object.assign(fakeCall(request), {
      write(message: Response, taken: () => void) {
        messages.push(message);
        queueMicrotask(taken);
      },
      end: () => resolve(messages),
    });
    stream.on('error', (error) => reject(failureIn(error) ?? error));
    handler(stream as unknown as ServerWritableStream<Request, Response>);
  });
}
