// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Message, type MessageBus, sessionBus } from 'dbus-next';

/** What a fake method says: a reply, an error, or nothing at all. */
export type Answer =
  | { readonly signature: string; readonly body: unknown[] }
  | { readonly error: string; readonly text: string }
  | 'silence';
export type Method = (body: readonly unknown[], message: Message) => Answer | Promise<Answer>;

/** A service on a bus, made of functions by member name. It may answer wrongly, late or never. */
export class FakeService {
  readonly methods = new Map<string, Method>();
  readonly #bus: MessageBus;

  private constructor(bus: MessageBus) {
    this.#bus = bus;
    bus.addMethodHandler((message) => {
      const method = this.methods.get(message.member);
      if (!method) return false;
      void this.#answer(method, message);
      return true;
    });
  }

  static async start(address: string, name: string, methods: Record<string, Method> = {}): Promise<FakeService> {
    const bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
    const service = new FakeService(bus);
    // When the bus is killed under a fake, the fake has nobody to tell.
    (bus as NodeJS.EventEmitter).on('error', () => {});
    for (const [member, method] of Object.entries(methods)) service.methods.set(member, method);
    await once(bus, 'connect');
    await bus.requestName(name);
    return service;
  }

  emit(path: string, interfaceName: string, member: string, signature: string, body: unknown[]): void {
    this.#bus.send(Message.newSignal(path, interfaceName, member, signature, body));
  }

  /** Sends a signal straight to one connection, as any process may do. */
  emitTo(destination: string, path: string, interfaceName: string, member: string, signature: string, body: unknown[]): void {
    const signal = Message.newSignal(path, interfaceName, member, signature, body);
    signal.destination = destination;
    this.#bus.send(signal);
  }

  /** The process ends: its name and connection are gone. */
  stop(): void {
    this.#bus.disconnect();
  }

  async #answer(method: Method, message: Message): Promise<void> {
    const answer = await method(message.body, message);
    if (answer === 'silence') return;
    const reply =
      'error' in answer
        ? Message.newError(message, answer.error, answer.text)
        : Message.newMethodReturn(message, answer.signature, answer.body);
    this.#bus.send(reply);
  }
}
