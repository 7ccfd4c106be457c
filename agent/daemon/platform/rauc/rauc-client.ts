// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import { OneAtATime } from '../../timing/one-at-a-time.ts';
import { BusError } from '../dbus/bus-error.ts';
import type { SystemBus } from '../dbus/system-bus.ts';
import { codeOf, presentable } from './rauc-texts.ts';

/** de.pengutronix.rauc.Installer, as RAUC's reference manual describes it. */
export const RAUC = { destination: 'de.pengutronix.rauc', path: '/', interface: 'de.pengutronix.rauc.Installer' } as const;

export interface Request {
  /** What a call is for, in the words of a failure's sentence: `Cannot <purpose>: …`. */
  readonly purpose: string;
  /** Counted from the call's turn; it includes RAUC's start, when it does not run. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called right before the call is sent. */
  readonly onTurn?: () => void;
}

/**
 * Calls RAUC, one call at a time: while it installs it refuses most of them, and a refused second InstallBundle even makes it
 * show itself as idle.
 */
export class RaucClient {
  readonly #bus: Pick<SystemBus, 'call' | 'getProperties'>;
  readonly #turns = new OneAtATime();

  constructor(bus: Pick<SystemBus, 'call' | 'getProperties'>) {
    this.#bus = bus;
  }

  call(member: string, signature: string, body: readonly unknown[], request: Request): Promise<readonly unknown[]> {
    return this.#take(request, (options) => this.#bus.call({ ...RAUC, member, signature, body }, options));
  }

  properties(request: Request): Promise<Readonly<Record<string, unknown>>> {
    return this.#take(request, (options) => this.#bus.getProperties(RAUC, options));
  }

  /** The introspection XML of RAUC's object. D-Bus Specification, "Introspection Data Format". */
  async introspect(request: Request): Promise<string> {
    const call = { ...RAUC, interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
    const [xml] = await this.#take(request, (options) => this.#bus.call(call, options));
    return String(xml);
  }

  /** The signal stays here: it ends the caller's waiting, but RAUC is at work, and the next call must wait for it. */
  #take<T>({ purpose, timeoutMs, signal, onTurn }: Request, work: (options: { timeoutMs: number }) => Promise<T>): Promise<T> {
    const cancelled = () => new Failure('DEADLINE_EXCEEDED', `Cannot ${purpose}: the caller stopped waiting`, {}, { cause: signal.reason });
    const translated = async () => {
      onTurn?.();
      try {
        return await work({ timeoutMs });
      } catch (thrown) {
        throw toFailure(purpose, thrown);
      }
    };
    return this.#turns.run(translated, signal, cancelled);
  }
}

function toFailure(purpose: string, thrown: unknown): Failure {
  const options = { cause: thrown };
  if (thrown instanceof Failure) {
    const found = thrown.message.replace(/^Cannot call [\w.]+: /, '');
    return new Failure(thrown.code, `Cannot ${purpose}: ${found}`, thrown.facts, options);
  }
  if (!(thrown instanceof BusError)) return Failure.from(thrown);
  const text = presentable(thrown.text || thrown.errorName);
  const code = isOfRauc(thrown) ? codeOf(text, 'RAUC_REFUSED') : 'RAUC_UNAVAILABLE';
  const found = code === 'UPDATE_IN_PROGRESS' ? 'RAUC is already installing' : text;
  return new Failure(code, `Cannot ${purpose}: ${found}`, {}, options);
}

/** The bus and the service manager speak for a RAUC that is not there, may not be spoken to, or knows no such method. */
function isOfRauc({ errorName }: BusError): boolean {
  return !/^org\.freedesktop\.(DBus\.Error|systemd1)\./.test(errorName);
}
