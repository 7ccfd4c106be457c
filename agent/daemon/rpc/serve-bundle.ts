// SPDX-License-Identifier: Apache-2.0
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import { Failure } from '../../shared/failure.ts';
import type { lamadist } from '../../shared/gen/messages.js';
import { toStatus } from '../../shared/status.ts';
import type { ClientChannel, ClientOffers } from '../delivery/client-offers.ts';
import type { Updater } from '../update/updater.ts';

type Message = lamadist.agent.v1.ServeBundleRequest & lamadist.agent.v1.ServeBundleRequest.$Shape;
type Call = ServerDuplexStream<Message, lamadist.agent.v1.ServeBundleResponse.$Properties>;

/** What is asked for at a time: large enough to keep a connection busy, small enough to be given up without much loss. */
const RANGE_BYTES = 8 << 20;

/**
 * Lets a client that asked for an install give the bundle from its own disk. The stream belongs to one operation; it ends
 * when the client ends it, or when the operation no longer needs a bundle.
 */
export function serveBundle(
  offers: ClientOffers,
  updater: Pick<Updater, 'state'>,
): handleBidiStreamingCall<Message, lamadist.agent.v1.ServeBundleResponse.$Properties> {
  return (call) => {
    const messages = call[Symbol.asyncIterator]() as AsyncIterator<Message>;
    let detach = (): void => {};
    call.on('cancelled', () => detach());
    call.on('end', () => detach());
    void (async () => {
      const first = await messages.next();
      const operationId = first.done ? '' : (first.value.operationId ?? '');
      requireOffered(updater, operationId);
      detach = offers.attach(operationId, new StreamChannel(call, messages, () => detach()));
    })().catch((error) => call.emit('error', toStatus(Failure.from(error))));
  };
}

function requireOffered({ state }: Pick<Updater, 'state'>, operationId: string): void {
  const wanted = state.phase !== 'idle' && state.operation.id === operationId && state.operation.source.type === 'client';
  if (!wanted) throw new Failure('UPDATE_NOT_FOUND', `Cannot take the bundle: no install with the id "${operationId}" waits for one`);
}

/** One range at a time over the stream, in the order in which they are asked for. */
class StreamChannel implements ClientChannel {
  readonly #call: Call;
  readonly #messages: AsyncIterator<Message>;
  readonly #broken: () => void;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(call: Call, messages: AsyncIterator<Message>, broken: () => void) {
    this.#call = call;
    this.#messages = messages;
    this.#broken = broken;
  }

  async *read(offset: number, length: number, signal: AbortSignal): AsyncIterable<Buffer> {
    let release = (): void => {};
    const before = this.#turn;
    this.#turn = new Promise<void>((resolve) => {
      release = resolve;
    });
    try {
      await before;
      const end = offset + length;
      for (let start = offset; start < end; start += RANGE_BYTES) yield* this.#range(start, Math.min(RANGE_BYTES, end - start), signal);
    } catch (error) {
      // After a range that broke off nobody knows what the client would send next.
      this.#broken();
      this.#call.end();
      throw error;
    } finally {
      release();
    }
  }

  async *#range(offset: number, length: number, signal: AbortSignal): AsyncIterable<Buffer> {
    this.#call.write({ offset, length });
    let position = offset;
    while (position < offset + length) {
      signal.throwIfAborted();
      const { part } = await this.#next();
      const [at, data] = [part?.offset ?? 0, part?.data ?? Buffer.alloc(0)];
      if (at !== position || data.length === 0 || position + data.length > offset + length) {
        throw new Failure(
          'DOWNLOAD_REFUSED',
          `Cannot fetch the bundle: the client sent ${data.length} bytes from ${at}, and not from ${position}`,
        );
      }
      position += data.length;
      yield Buffer.from(data.buffer, data.byteOffset, data.length);
    }
  }

  async #next(): Promise<Message> {
    try {
      const { done, value } = await this.#messages.next();
      if (!done) return value;
    } catch (error) {
      throw new Failure(
        'DOWNLOAD_FAILED',
        `Cannot fetch the bundle: the client went away (${(error as Error).message})`,
        {},
        { cause: error },
      );
    }
    throw new Failure('DOWNLOAD_FAILED', 'Cannot fetch the bundle: the client went away');
  }
}
