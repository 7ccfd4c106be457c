// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { CallOptions, MethodCall } from './message-types.ts';

export type Outcome = { readonly body: readonly unknown[] } | { readonly error: Error };

/** The calls that wait for their reply, by serial. Each ends exactly once: answered, out of time, aborted, or with its connection. */
export class PendingCalls {
  readonly #bySerial = new Map<number, { readonly call: MethodCall; readonly end: (outcome: Outcome) => void }>();

  add(serial: number, call: MethodCall, { timeoutMs, signal }: CallOptions, done: (outcome: Outcome) => void): void {
    const giveUp = (found: string, cause?: unknown) => {
      this.end(serial, { error: new Failure('DEADLINE_EXCEEDED', `${cannot(call)}: ${found}`, {}, { cause }) });
    };
    const onAbort = () => giveUp('the caller stopped waiting', signal?.reason);
    const timer = setTimeout(() => giveUp(`no answer within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      done(outcome);
    };
    this.#bySerial.set(serial, { call, end });
    if (signal?.aborted) onAbort();
  }

  /** Does nothing when nobody waits (any more). */
  end(serial: number, outcome: Outcome): void {
    const pending = this.#bySerial.get(serial);
    this.#bySerial.delete(serial);
    pending?.end(outcome);
  }

  endAll(found: string): void {
    for (const [serial, { call }] of [...this.#bySerial]) this.end(serial, { error: unavailable(call, found) });
  }

  has(serial: number): boolean {
    return this.#bySerial.has(serial);
  }
}

export function unavailable(call: MethodCall, found: string): Failure {
  return new Failure('BUS_UNAVAILABLE', `${cannot(call)}: ${found}`);
}

function cannot(call: MethodCall): string {
  return `Cannot call ${call.interface}.${call.member}`;
}
