// SPDX-License-Identifier: Apache-2.0
import { EventEmitter, getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { type CallContext, serverStream, unary } from '../../../../agent/daemon/rpc/handlers.ts';
import { Failure } from '../../../../agent/shared/failure.ts';
import { failureIn } from '../../../../agent/shared/status.ts';
import { callStream, callUnary } from '../../fakes/call.ts';

const full = () => new Failure('NO_SPACE', 'Cannot write: full');

describe('a unary call', () => {
  it('answers with what its function returns', async () => {
    expect(
      await callUnary(
        unary((request: object) => ({ request })),
        { a: 1 },
      ),
    ).toEqual({ request: { a: 1 } });
  });

  it.each([
    ['throws', () => Promise.reject(full()), { code: 'NO_SPACE', message: 'Cannot write: full' }],
    [
      'throws at once',
      () => {
        throw full();
      },
      { code: 'NO_SPACE' },
    ],
    ['breaks', () => Promise.reject(new TypeError('x is undefined')), { code: 'INTERNAL', message: 'Cannot go on: x is undefined' }],
  ])('fails as its function %s', async (_what, answer: () => Promise<object>, failure) => {
    await expect(callUnary(unary(answer))).rejects.toMatchObject(failure);
  });
});

/** A stream whose client takes a message when it is told to. */
function narrowStream(answer: (context: CallContext) => AsyncGenerator<number>) {
  const taken: number[] = [];
  const outcome: unknown[] = [];
  let take = (): void => {};
  let signal = new AbortController().signal;
  const call = Object.assign(new EventEmitter(), {
    request: {},
    getAuthContext: () => ({}),
    getPeer: () => '192.0.2.1:49152',
    write: (message: number, done: () => void) => {
      taken.push(message);
      take = done;
    },
    end: () => outcome.push('ended'),
  });
  call.on('error', (error) => outcome.push(failureIn(error)?.code));
  const handler = serverStream<object, number>((_request, context) => {
    signal = context.signal;
    return answer(context);
  });
  handler(call as unknown as ServerWritableStream<object, number>);
  const listening = () => getEventListeners(signal, 'abort').length;
  return { call, taken, outcome, listening, take: () => take() };
}

describe('a stream', () => {
  it('ends with its function, after every message', async () => {
    const counting = serverStream(async function* () {
      yield 1;
      yield 2;
    });
    expect(await callStream(counting, {})).toEqual([1, 2]);
  });

  it('fails as its function does, after what was sent before', async () => {
    const failing = serverStream(async function* () {
      yield 1;
      throw full();
    });
    await expect(callStream(failing, {})).rejects.toMatchObject({ code: 'NO_SPACE' });
  });

  it('asks for no message before the client has taken the last one', async () => {
    let made = 0;
    const { take, taken, outcome } = narrowStream(async function* () {
      while (made < 3) yield ++made;
    });
    await turn();
    expect([made, taken]).toEqual([1, [1]]);
    for (const _ of [1, 2, 3]) {
      take();
      await turn();
    }
    expect([taken, outcome]).toEqual([[1, 2, 3], ['ended']]);
  });

  it.each(['waits for the client', 'waits for news'])('lets its function clean up when the client goes while it %s', async (where) => {
    let cleaned = false;
    const { call, outcome, listening } = narrowStream(async function* ({ signal }) {
      try {
        if (where === 'waits for the client') yield 1;
        else await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        yield 2;
      } finally {
        cleaned = true;
      }
    });
    await turn();
    call.emit('cancelled');
    await turn();
    expect([cleaned, listening(), outcome.filter((what) => what !== 'ended')]).toEqual([true, 0, []]);
  });
});
