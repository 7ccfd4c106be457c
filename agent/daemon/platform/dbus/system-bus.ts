// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { backoffMs } from './backoff.ts';
import { BusError } from './bus-error.ts';
import { Connection } from './connection.ts';
import { BUS, type CallOptions, type MethodCall, type SignalMatch } from './message-types.ts';
import type { OwnerListener } from './name-owners.ts';
import { unavailable } from './pending-calls.ts';
import { type AskBus, type Report, type SignalHandler, Subscriptions } from './subscriptions.ts';
import { isDictionary } from './variant.ts';

/** The bus answers what it is asked itself within milliseconds, or not at all. */
const BUS_TIMEOUT_MS = 10_000;

export type BusState = { readonly connected: true } | { readonly connected: false; readonly reason: string };

export interface SystemBusOptions {
  /** For example unix:path=/run/dbus/system_bus_socket; a bus on a network is refused. */
  readonly address: string;
  /** 0 to 1, spreads the attempts to connect again. */
  readonly random: () => number;
  /** Hears of what no caller can be told: a handler that threw, a match rule that the bus refused. */
  readonly report: Report;
}

/**
 * The system bus: calls with deadlines, and subscriptions that outlive both the services they listen to and the bus
 * itself. It connects again by itself until it is closed; while it is away, calls fail at once with BUS_UNAVAILABLE.
 */
export class SystemBus {
  readonly #options: SystemBusOptions;
  readonly #subscriptions: Subscriptions;
  readonly #stateListeners = new Set<(state: BusState) => void>();
  #state: BusState = { connected: false, reason: 'the connection was not made yet' };
  #connection: Connection | undefined;
  #attempt = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SystemBusOptions) {
    if (!/^unix:(path|abstract)=[^;]+$/.test(options.address)) {
      throw new Failure('CONFIG_INVALID', `Cannot use the bus "${options.address}": it is not the address of a Unix socket`);
    }
    this.#options = options;
    this.#subscriptions = new Subscriptions(this.#ask, options.report);
  }

  get state(): BusState {
    return this.#state;
  }

  /** Connects, now and whenever the connection is lost. */
  start(): void {
    if (this.#connection || this.#closed) return;
    this.#connection = new Connection(this.#options.address, {
      opened: () => this.#opened(),
      signal: (signal) => this.#subscriptions.dispatch(signal),
      lost: (reason) => this.#lost(reason),
      problem: (error) => this.#options.report(error, 'receiving a message'),
    });
  }

  /** Waits until the bus is connected. Fails with BUS_UNAVAILABLE when the signal, or close(), ends the waiting. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#state.connected) return;
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => {
        stop();
        signal.removeEventListener('abort', giveUp);
        settle();
      };
      const giveUp = () => end(() => reject(new Failure('BUS_UNAVAILABLE', `Cannot connect to the system bus: ${this.#found}`)));
      const stop = this.onStateChange((state) => {
        if (state.connected) end(resolve);
        else if (this.#closed) giveUp();
      });
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted || this.#closed) giveUp();
    });
  }

  /** Calls a method and returns its results as plain values. Fails with BusError, BUS_UNAVAILABLE or DEADLINE_EXCEEDED. */
  call(call: MethodCall, options: CallOptions): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      // Not "connected": a listener may call while the subscriptions are still being restored, and its call comes after them.
      if (!this.#connection?.isOpen) return reject(unavailable(call, this.#found));
      this.#connection.request(call, options, (outcome) => ('error' in outcome ? reject(outcome.error) : resolve(outcome.body)));
    });
  }

  /** All properties of one interface of an object, by name. */
  async getProperties(object: Omit<MethodCall, 'member'>, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    const [properties] = await this.call(
      { ...object, interface: 'org.freedesktop.DBus.Properties', member: 'GetAll', signature: 's', body: [object.interface] },
      options,
    );
    return isDictionary(properties) ? properties : {};
  }

  /** Hears of signals, from whoever owns the sender's name at the time. Returns how to stop. */
  subscribe(match: SignalMatch, handler: SignalHandler): () => void {
    return this.#subscriptions.subscribe(match, handler);
  }

  /** Hears of every change of a name's owner, and of the owner found whenever a connection was made. Returns how to stop. */
  onOwnerChange(name: string, listener: OwnerListener): () => void {
    return this.#subscriptions.onOwnerChange(name, listener);
  }

  /** Hears when the bus is connected, lost, or away for another reason than before. Returns how to stop. */
  onStateChange(listener: (state: BusState) => void): () => void {
    const own = (state: BusState) => listener(state);
    this.#stateListeners.add(own);
    return () => this.#stateListeners.delete(own);
  }

  /** Ends the connection for good, at once; whoever waits for an answer fails with BUS_UNAVAILABLE. */
  close(): void {
    if (this.#closed) return;
    const reason = 'the agent closed its connection to the bus';
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#connection?.close(reason);
    this.#changeState({ connected: false, reason });
  }

  get #found(): string {
    return this.#state.connected ? 'the bus is connected' : this.#state.reason;
  }

  #changeState(state: BusState): void {
    const news = state.connected || this.#state.connected || state.reason !== this.#state.reason;
    this.#state = state;
    if (!news) return;
    for (const listener of [...this.#stateListeners]) {
      try {
        listener(state);
      } catch (error) {
        this.#options.report(error, 'telling the state of the bus');
      }
    }
  }

  #opened(): void {
    this.#subscriptions.restore();
    // The bus answers in order: with the answer to this call it has taken every rule above.
    this.#ask({ ...BUS, member: 'GetId' }, (outcome) => {
      if ('error' in outcome) return this.#connection?.lose(outcome.error.message);
      this.#attempt = 0;
      this.#changeState({ connected: true });
    });
  }

  #lost(reason: string): void {
    this.#connection = undefined;
    this.#subscriptions.forget();
    this.#retryTimer = setTimeout(() => this.start(), backoffMs(this.#attempt, this.#options.random));
    this.#attempt += 1;
    this.#changeState({ connected: false, reason });
  }

  readonly #ask: AskBus = (call, done) => {
    const connection = this.#connection;
    if (!connection?.isOpen) return;
    connection.request(call, { timeoutMs: BUS_TIMEOUT_MS }, (outcome) => {
      if ('body' in outcome) done(outcome);
      else if (outcome.error instanceof BusError) done({ error: outcome.error });
      // Lost already, or about to be: a bus that does not answer is none.
      else connection.lose(outcome.error.message);
    });
  };
}
