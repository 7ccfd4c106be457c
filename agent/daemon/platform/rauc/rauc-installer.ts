// SPDX-License-Identifier: Apache-2.0
import type { Logger } from 'pino';
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import type { Bundle, Installer, InstallerEvent, InstallRequest, Slot } from '../../update/installer.ts';
import type { SystemBus } from '../dbus/system-bus.ts';
import { requireBundleFile } from './bundle-file.ts';
import { toBundle } from './bundle-info.ts';
import { ANSWER_TIMEOUT_MS, InstallEvents } from './install-events.ts';
import { readAnswer } from './rauc-answer.ts';
import { RAUC, RaucClient, type Request } from './rauc-client.ts';
import { RaucFeatures } from './rauc-features.ts';
import { presentable } from './rauc-texts.ts';
import { toSlots } from './slot-status.ts';

/** RAUC reads a plain bundle to its end, and an https one from as slow a server as there may be, before it answers. */
const INSPECT_TIMEOUT_MS = 300_000;

/** RAUC, 1.9 and later, over D-Bus. */
export class RaucInstaller implements Installer {
  readonly #client: RaucClient;
  readonly #events: InstallEvents;
  readonly #features = new RaucFeatures();
  readonly #log: Pick<Logger, 'warn' | 'error'>;
  readonly #stopFollowing: () => void;

  constructor(bus: Pick<SystemBus, 'call' | 'getProperties' | 'subscribe' | 'onOwnerChange'>, log: Pick<Logger, 'warn' | 'error'>) {
    this.#log = log;
    this.#client = new RaucClient(bus);
    this.#stopFollowing = bus.onOwnerChange(RAUC.destination, () => this.#features.forget());
    this.#events = new InstallEvents(bus, this.#client, log);
  }

  async compatible(signal: AbortSignal): Promise<string> {
    return this.#property('Compatible', request('ask RAUC what it installs on', signal));
  }

  async lastError(signal: AbortSignal): Promise<string> {
    return presentable(await this.#property('LastError', request('ask RAUC for its last error', signal)));
  }

  async slots(signal: AbortSignal): Promise<readonly Slot[]> {
    const asked = request('ask RAUC for the slots', signal);
    const [answer] = await this.#client.call('GetSlotStatus', '', [], asked);
    return toSlots(answer, await this.#primary(asked));
  }

  async inspect(location: string, signal: AbortSignal): Promise<Bundle> {
    const asked = request(`inspect "${presentable(location)}"`, signal);
    await requireBundleFile(location);
    await this.#features.requireInspectBundle(this.#client, asked);
    const [answer] = await this.#client.call('InspectBundle', 'sa{sv}', [location, {}], { ...asked, timeoutMs: INSPECT_TIMEOUT_MS });
    return toBundle(answer, presentable(location));
  }

  async install(install: InstallRequest, signal: AbortSignal): Promise<void> {
    const asked = request(`install "${presentable(install.location)}"`, signal);
    await this.#features.requireInspectBundle(this.#client, asked);
    for (;;) {
      const body = [install.location, this.#features.installArguments(install)];
      try {
        return await this.#events.begin((onTurn) => this.#client.call('InstallBundle', 'sa{sv}', body, { ...asked, onTurn }));
      } catch (thrown) {
        const argument = this.#features.learnFrom(thrown);
        if (argument === undefined) throw thrown;
        this.#log.warn({ argument }, 'This RAUC is too old for an argument of the install, which goes on without it');
      }
    }
  }

  installing(signal: AbortSignal): Promise<boolean> {
    return this.#events.installing(signal);
  }

  activate(slot: string, signal: AbortSignal): Promise<void> {
    return this.#mark('active', slot, request(`make slot "${slot}" the primary one`, signal));
  }

  markGood(slot: string, signal: AbortSignal): Promise<void> {
    return this.#mark('good', slot, request(`mark slot "${slot}" good`, signal));
  }

  markBad(slot: string, signal: AbortSignal): Promise<void> {
    return this.#mark('bad', slot, request(`mark slot "${slot}" bad`, signal));
  }

  listen(listener: (event: InstallerEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  /** Stops listening to RAUC; an install goes on. */
  close(): void {
    this.#stopFollowing();
    this.#events.close();
  }

  async #property(name: string, asked: Request): Promise<string> {
    const properties = await this.#client.properties(asked);
    return readAnswer(v.string(), properties[name], `the property ${name}`);
  }

  /** The name of the primary slot; empty when the boot loader does not tell, which the slots themselves should outlive. */
  async #primary(asked: Request): Promise<string> {
    try {
      const [primary] = await this.#client.call('GetPrimary', '', [], asked);
      return readAnswer(v.string(), primary, 'the primary slot');
    } catch (thrown) {
      if (!(thrown instanceof Failure) || thrown.code !== 'RAUC_REFUSED') throw thrown;
      this.#log.warn({ err: thrown }, 'RAUC cannot tell which slot is the primary one');
      return '';
    }
  }

  /** Mark answers with the slot that it marked, for it takes names for slots as well: "booted", "other". */
  async #mark(state: 'active' | 'good' | 'bad', slot: string, asked: Request): Promise<void> {
    const [marked] = await this.#client.call('Mark', 'ss', [state, slot], asked);
    if (marked !== slot) throw new Failure('RAUC_UNREADABLE', `Cannot ${asked.purpose}: RAUC marked "${String(marked)}"`);
  }
}

function request(purpose: string, signal: AbortSignal): Request {
  return { purpose, timeoutMs: ANSWER_TIMEOUT_MS, signal };
}
