// SPDX-License-Identifier: Apache-2.0
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Message, type MessageBus, MessageType, sessionBus } from 'dbus-next';
import { BusError } from './bus-error.ts';
import type { CallOptions, MethodCall, Signal } from './message-types.ts';
import { type Outcome, PendingCalls, unavailable } from './pending-calls.ts';
import { guardStream } from './stream-guard.ts';
import { toPlain } from './variant.ts';

const OPEN_TIMEOUT_MS = 10_000;
/** RAUC's largest answer, the status of a dozen slots, has some 10 KiB; the bus itself would pass on 32 MiB. */
const MAX_MESSAGE_BYTES = 4 << 20;

export interface ConnectionListener {
  /** The bus knows us: calls may be made. */
  opened(): void;
  signal(signal: Signal): void;
  /** The connection ended, or was never made. Nothing follows. */
  lost(reason: string): void;
  /** Something arrived that the library could not take; the connection goes on. */
  problem(error: unknown): void;
}

/** What dbus-next keeps to itself: its stream is the only thing that tells of the connection's end. */
interface Internals {
  readonly _connection: { readonly stream?: Duplex; on(event: 'connect' | 'end', listener: () => void): void };
}

/**
 * One connection to a message bus, from its making to its end. dbus-next parses and writes messages; replies are matched
 * here, synchronously, so that they keep their place among the signals: a name's owner is known before its signals come.
 */
export class Connection {
  readonly #bus: MessageBus;
  readonly #listener: ConnectionListener;
  readonly #pending = new PendingCalls();
  readonly #openTimer: NodeJS.Timeout;
  #state: 'opening' | 'open' | 'ended' = 'opening';

  constructor(address: string, listener: ConnectionListener) {
    this.#listener = listener;
    this.#openTimer = setTimeout(() => this.lose(`the bus did not greet within ${OPEN_TIMEOUT_MS} ms`), OPEN_TIMEOUT_MS);
    this.#bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
    (this.#bus as EventEmitter).on('error', (error: unknown) => this.#failed(error));
    this.#bus.on('connect', () => this.#opened());
    this.#bus.on('message', (message) => this.#received(message));
    this.#internals._connection.on('end', () => this.lose('the bus ended the connection'));
    // The library sets its parser on the stream right after this event, and before anything more is read.
    this.#internals._connection.on('connect', () => queueMicrotask(() => this.#guard()));
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Calls `done` once, and before any signal that the bus sent after the reply. */
  request(call: MethodCall, options: CallOptions, done: (outcome: Outcome) => void): void {
    if (!this.isOpen) {
      done({ error: unavailable(call, 'the connection to the bus is not open') });
      return;
    }
    const serial = this.#bus.newSerial();
    this.#pending.add(serial, call, options, done);
    if (!this.#pending.has(serial)) return;
    try {
      this.#bus.send(new Message({ ...call, body: [...(call.body ?? [])], serial }));
    } catch (error) {
      this.#pending.end(serial, { error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  /** Ends the connection at once; nobody but the waiting callers hears of it. */
  close(reason: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#openTimer);
    this.#destroyStream();
    this.#pending.endAll(reason);
  }

  /** Ends the connection as lost. */
  lose(reason: string): void {
    if (this.#state === 'ended') return;
    this.close(reason);
    this.#listener.lost(reason);
  }

  get #internals(): Internals {
    return this.#bus as unknown as Internals;
  }

  #opened(): void {
    const { stream } = this.#internals._connection;
    if (this.#state !== 'opening' || stream === undefined) return;
    clearTimeout(this.#openTimer);
    stream.on('close', () => this.lose('the bus closed the connection'));
    this.#state = 'open';
    this.#listener.opened();
  }

  #guard(): void {
    const { stream } = this.#internals._connection;
    if (stream) guardStream(stream, MAX_MESSAGE_BYTES, (found) => this.lose(found));
  }

  #failed(error: unknown): void {
    if (this.#state === 'opening') this.lose(error instanceof Error ? error.message : String(error));
    else if (this.#state === 'open') this.#listener.problem(error);
  }

  /** Never throws: the library would answer the sender of a signal with an error. */
  #received(message: Message): void {
    if (this.#state !== 'open') return;
    try {
      if (message.type === MessageType.SIGNAL) this.#listener.signal(toSignal(message));
      else if (message.replySerial !== undefined) this.#pending.end(message.replySerial, toOutcome(message));
    } catch (error) {
      this.#listener.problem(error);
    }
  }

  /** The library makes the stream a moment after the bus object, so it may still be to come. */
  #destroyStream(): void {
    const { stream } = this.#internals._connection;
    if (stream) stream.destroy();
    else setImmediate(() => this.#internals._connection.stream?.destroy());
  }
}

function toSignal({ sender, path, interface: interfaceName, member, body }: Message): Signal {
  return { sender, path, interface: interfaceName, member, body: body.map(toPlain) };
}

function toOutcome({ type, errorName, body }: Message): Outcome {
  if (type !== MessageType.ERROR) return { body: body.map(toPlain) };
  return { error: new BusError(errorName, typeof body[0] === 'string' ? body[0] : '') };
}
