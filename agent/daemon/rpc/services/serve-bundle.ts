// SPDX-License-Identifier: Apache-2.0
import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js';
import { Failure } from '../../../shared/failure.ts';
import type { lamadist } from '../../../shared/gen/messages.js';
import { toStatus } from '../../../shared/status.ts';
import type { ClientChannel, ClientOffers } from '../../delivery/client-offers.ts';
import type { Clock } from '../../timing/clock.ts';
import { within } from '../../timing/within.ts';
import type { Phase } from '../../update/life/state.ts';
import type { Updater } from '../../update/updater.ts';

type Message = lamadist.agent.v1.ServeBundleRequest & lamadist.agent.v1.ServeBundleRequest.$Shape;
type Call = ServerDuplexStream<Message, lamadist.agent.v1.ServeBundleResponse.$Properties>;

/** What is asked for at a time: large enough to keep a connection busy, small enough to be given up without much loss. */
const RANGE_BYTES = 8 << 20;
/** A client that says nothing for this long, though it was asked, is taken for gone. */
const SILENCE_MS = 30_000;

/**
 * Lets a client that asked for an install give the bundle from its own disk. The stream belongs to one operation; it ends
 * when the client ends it, or when the operation no longer needs a bundle.
 */
export function serveBundle(
  offers: ClientOffers,
  updater: Pick<Updater, 'state'>,
  clock: Clock,
): handleBidiStreamingCall<Message, lamadist.agent.v1.ServeBundleResponse.$Properties> {
  return (call) => {
    const messages = new Messages(call, clock);
    let detach = (): void => {};
    const left = new AbortController();
    call.on('cancelled', () => {
      left.abort();
      detach();
    });
    void (async () => {
      const operationId = (await messages.next(left.signal)).operationId ?? '';
      requireWanted(updater, operationId);
      detach = offers.attach(operationId, new StreamChannel(call, messages, () => detach()));
    })().catch((error) => call.emit('error', toStatus(Failure.from(error))));
  };
}

/** While an update is in one of these, RAUC may still read from its bundle. */
const NEEDS_BUNDLE: ReadonlySet<Phase> = new Set(['paused', 'downloading', 'inspecting', 'installing']);

function requireWanted({ state }: Pick<Updater, 'state'>, operationId: string): void {
  const known = state.phase !== 'idle' && state.operation.id === operationId && state.operation.source.type === 'client';
  if (known && NEEDS_BUNDLE.has(state.phase)) return;
  throw new Failure('UPDATE_NOT_FOUND', `Cannot take the bundle: no install with the id "${operationId}" waits for one`);
}

/** What the client sends, message by message. */
class Messages {
  readonly #messages: AsyncIterator<Message>;
  readonly #clock: Clock;

  constructor(call: Call, clock: Clock) {
    this.#messages = call[Symbol.asyncIterator]() as AsyncIterator<Message>;
    this.#clock = clock;
  }

  async next(signal: AbortSignal): Promise<Message> {
    const silent = () => {
      throw gone(`it was silent for ${SILENCE_MS / 1000} s`);
    };
    try {
      const { done, value } = await within(this.#clock, SILENCE_MS, signal, () => this.#messages.next(), silent);
      if (!done) return value;
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof Failure ? error : gone((error as Error).message);
    }
    throw gone('it ended the call');
  }
}

const gone = (found: string): Failure => new Failure('DOWNLOAD_FAILED', `Cannot fetch the bundle: the client went away (${found})`);

/** One range at a time over the stream, in the order in which they are asked for. */
class StreamChannel implements ClientChannel {
  readonly #call: Call;
  readonly #messages: Messages;
  readonly #broken: () => void;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(call: Call, messages: Messages, broken: () => void) {
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
    let whole = false;
    try {
      await before;
      const end = offset + length;
      for (let start = offset; start < end; start += RANGE_BYTES) yield* this.#range(start, Math.min(RANGE_BYTES, end - start), signal);
      whole = true;
    } finally {
      // After a range that broke off, or that its reader left, nobody knows what the client would send next.
      if (!whole) {
        this.#broken();
        this.close();
      }
      release();
    }
  }

  close(): void {
    this.#call.end();
  }

  async *#range(offset: number, length: number, signal: AbortSignal): AsyncIterable<Buffer> {
    this.#call.write({ offset, length });
    let position = offset;
    while (position < offset + length) {
      const { part } = await this.#messages.next(signal);
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
}
