// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import type { InstallerEvent } from '../../update/installer.ts';
import type { Signal } from '../dbus/message-types.ts';
import type { Owner } from '../dbus/name-owners.ts';
import type { SystemBus } from '../dbus/system-bus.ts';
import { type InstallEnd, InstallTracker } from './install-tracker.ts';
import { readAnswer } from './rauc-answer.ts';
import { RAUC, type RaucClient } from './rauc-client.ts';
import { codeOf, presentable } from './rauc-texts.ts';

/** The bus gives a service 25 s to start, which any call to RAUC may have to wait for. */
export const ANSWER_TIMEOUT_MS = 60_000;

const Percent = v.pipe(v.number(), v.minValue(0), v.maxValue(100));

/** PropertiesChanged, sa{sv}as, and in it the Progress (isi): percent, message, depth of nesting. */
const ChangeSchema = v.tuple([
  v.string(),
  v.object({
    Operation: v.optional(v.string()),
    Progress: v.optional(v.tuple([Percent, v.string(), v.number()])),
  }),
  v.array(v.string()),
]);

/** What RAUC's signals tell of installs, whoever began them. */
export class InstallEvents {
  readonly #client: RaucClient;
  readonly #log: Pick<Logger, 'warn' | 'error'>;
  readonly #listeners = new Set<(event: InstallerEvent) => void>();
  readonly #tracker = new InstallTracker((end) => void this.#tellEnd(end));
  readonly #closing = new AbortController();
  readonly #stops: readonly (() => void)[];

  constructor(bus: Pick<SystemBus, 'subscribe' | 'onOwnerChange'>, client: RaucClient, log: Pick<Logger, 'warn' | 'error'>) {
    this.#client = client;
    this.#log = log;
    const ofRauc = { sender: RAUC.destination, path: RAUC.path };
    const changes = { ...ofRauc, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged', arg0: RAUC.interface };
    this.#stops = [
      bus.subscribe({ ...ofRauc, interface: RAUC.interface, member: 'Completed' }, ({ body }) => this.#completed(body[0])),
      bus.subscribe(changes, (signal) => this.#changed(signal)),
      bus.onOwnerChange(RAUC.destination, (owner) => this.#ownerChanged(owner)),
    ];
  }

  listen(listener: (event: InstallerEvent) => void): () => void {
    const own = (event: InstallerEvent) => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Runs the call that begins an install; the call says when it is sent. */
  async begin(call: (onTurn: () => void) => Promise<unknown>): Promise<void> {
    let sent = false;
    try {
      await call(() => {
        sent = true;
        this.#tracker.beginning();
      });
    } catch (thrown) {
      if (sent && mayHaveBegun(thrown)) this.#begun();
      else if (sent) this.#tracker.notBegun();
      throw thrown;
    }
    this.#begun();
  }

  /**
   * Whether an install is under way. Operation is believed when it says so; when it does not, RAUC is asked for something that
   * it refuses while it installs.
   */
  async installing(signal: AbortSignal): Promise<boolean> {
    const request = { purpose: 'ask RAUC whether it installs', timeoutMs: ANSWER_TIMEOUT_MS, signal };
    const endsBefore = this.#tracker.ends;
    const { Operation } = await this.#client.properties(request);
    const busy = Operation === 'installing' || (await this.#refusesAsBusy(request));
    if (!busy) this.#tracker.free();
    else if (this.#tracker.ends === endsBefore) this.#tracker.busy();
    return busy;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#closing.abort();
    this.#listeners.clear();
  }

  #begun(): void {
    if (this.#tracker.begun()) void this.#lookAgain();
  }

  async #refusesAsBusy(request: Parameters<RaucClient['properties']>[0]): Promise<boolean> {
    try {
      await this.#client.call('GetPrimary', '', [], request);
      return false;
    } catch (thrown) {
      if (thrown instanceof Failure && thrown.code === 'UPDATE_IN_PROGRESS') return true;
      // It answered, and with something else than that it is busy: its boot loader has a problem, which is another question's.
      if (thrown instanceof Failure && thrown.code === 'RAUC_REFUSED') return false;
      throw thrown;
    }
  }

  #completed(result: unknown): void {
    this.#tracker.completed(typeof result === 'number' ? result : Number.NaN);
  }

  #changed({ body }: Signal): void {
    const [, { Operation, Progress }] = readAnswer(ChangeSchema, body, 'the change of its properties');
    if (Operation === 'installing') this.#tracker.busy();
    if (Progress) this.#tell({ type: 'progress', percent: Progress[0], message: presentable(Progress[1]) });
  }

  #ownerChanged(owner: Owner): void {
    if (owner === undefined) this.#tracker.gone();
    else if (this.#tracker.underWay) void this.#lookAgain();
  }

  /** Finds out whether the install that was under way still is; if not, its end is told. */
  async #lookAgain(): Promise<void> {
    try {
      await this.installing(this.#closing.signal);
    } catch (thrown) {
      if (this.#closing.signal.aborted) return;
      if (thrown instanceof Failure && thrown.code === 'RAUC_UNAVAILABLE') this.#tracker.gone();
      else this.#log.warn({ err: thrown }, 'Could not find out whether RAUC still installs');
    }
  }

  async #tellEnd(end: InstallEnd): Promise<void> {
    if (end.type === 'vanished') this.#tell({ type: 'vanished' });
    else if (end.result === 0) this.#tell({ type: 'completed' });
    else this.#tell(await this.#failed(end.result));
  }

  async #failed(result: number): Promise<InstallerEvent> {
    const reason = await this.#lastError(result);
    const text = presentable(reason);
    return { type: 'failed', code: codeOf(text, 'INSTALL_FAILED'), message: `Cannot install the bundle: ${text}` };
  }

  async #lastError(result: number): Promise<string> {
    const request = { purpose: 'read why the install failed', timeoutMs: ANSWER_TIMEOUT_MS, signal: this.#closing.signal };
    try {
      const { LastError } = await this.#client.properties(request);
      if (typeof LastError === 'string' && LastError !== '') return LastError;
      return `RAUC gave no reason, its result is ${result}`;
    } catch (thrown) {
      return `RAUC's result is ${result}. ${Failure.from(thrown).message}`;
    }
  }

  #tell(event: InstallerEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (thrown) {
        this.#log.error({ err: thrown, event: event.type }, 'A listener to installs failed');
      }
    }
  }
}

/** RAUC was sent the order, and its answer is not known. */
function mayHaveBegun(thrown: unknown): boolean {
  return thrown instanceof Failure && (thrown.code === 'DEADLINE_EXCEEDED' || thrown.code === 'BUS_UNAVAILABLE');
}
