// SPDX-License-Identifier: Apache-2.0
import { effectRunner } from '../../../../agent/daemon/update/effects/effects.ts';
import { Feed } from '../../../../agent/daemon/update/feed.ts';
import type { TrialRecord } from '../../../../agent/daemon/update/life/event.ts';
import type { EndedUpdate, Operation, Phase, UpdateState } from '../../../../agent/daemon/update/life/state.ts';
import type { Delivery, GateDecision } from '../../../../agent/daemon/update/ports.ts';
import type { FailedVersion } from '../../../../agent/daemon/update/records/failed-version.ts';
import type { History } from '../../../../agent/daemon/update/records/history.ts';
import type { Journaled, ReadJournal } from '../../../../agent/daemon/update/records/journal.ts';
import { Updater } from '../../../../agent/daemon/update/updater.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeInstaller } from '../../fakes/installer.ts';
import { keepingLogger } from '../../fakes/log.ts';

export const OPERATION: Operation = {
  id: '99999999-9999-4999-8999-999999999999',
  source: { type: 'path', path: '/var/v2.raucb' },
  rebootPolicy: 'automatic',
  force: false,
  allowDowngrade: false,
  bytesPerSecond: 0,
  window: '',
  requestedBy: 'alice',
};

/** What outlives an agent and a boot: the disk, the slots and the boot loader. */
export class FakeNode {
  readonly clock = new FakeClock();
  readonly installer = new FakeInstaller();
  readonly logger = keepingLogger();
  journaled: Journaled = { state: { phase: 'idle' }, failedVersions: [] };
  /** What is wrong with the journal, for the next agent that reads it. */
  damage: ReadJournal['damage'];
  readonly history = new Map<string, EndedUpdate>();
  /** What the history tells of versions that failed here. */
  failedVersions: FailedVersion[] = [];
  keep: History['keep'] = async (update) => void this.history.set(update.operation.id, update);
  readonly marks: string[] = [];
  reboots = 0;
  synchronised = true;
  delivery: Delivery = {
    deliver: async () => '/var/download/x.raucb',
    whyUnread: () => undefined,
    end: async () => {},
    sweep: async () => {},
  };
  /** Thrown by the next writes of the journal. */
  readonly writeFailures: Error[] = [];
  /** Whether there is space left for when there is none. */
  reserve = { hold: async () => {}, spend: async (_error: unknown) => false };
  decide: () => Promise<GateDecision> = async () => ({ passed: true });

  /** An agent that starts in this boot. */
  async start(bootId: string, bootname: string, records: readonly TrialRecord[] = []): Promise<Updater> {
    return (await this.startWithFeed(bootId, bootname, records)).updater;
  }

  async startWithFeed(bootId: string, bootname: string, records: readonly TrialRecord[] = []) {
    const feed = new Feed<UpdateState>(bootId, { phase: 'idle' });
    const updater: Updater = new Updater({
      journal: { read: async () => this.#read(), write: (journaled) => this.#write(journaled) },
      reserve: { hold: () => this.reserve.hold(), spend: (error) => this.reserve.spend(error) },
      history: {
        keep: (update) => this.keep(update),
        find: async (id) => this.history.get(id),
        failedVersions: async () => this.failedVersions,
      },
      feed,
      clock: this.clock,
      log: this.logger.log,
      runEffect: effectRunner({
        installer: this.installer,
        delivery: {
          deliver: (operation, signal) => this.delivery.deliver(operation, signal),
          whyUnread: () => this.delivery.whyUnread(),
          end: (operationId, keepBundle) => this.delivery.end(operationId, keepBundle),
          sweep: (keepBundle) => this.delivery.sweep(keepBundle),
        },
        runningVersion: '1',
        deviceSizeBytes: async () => undefined,
        reboot: async () => void this.reboots++,
        marks: {
          arm: async (_id, bootname) => void this.marks.push(`arm ${bootname}`),
          disarm: async () => void this.marks.push('disarm'),
          committed: async () => void this.marks.push('committed'),
          gate: async (verdict) => void this.marks.push(`gate ${verdict}`),
        },
        gate: () => this.decide(),
        bootLog: async (id) => `log of ${id}`,
        boot: { bootId, bootname },
        clock: this.clock,
        clockSynchronised: async () => this.synchronised,
        clockPatienceMs: 600_000,
        failedHere: (version) => updater.failedHere(version) !== undefined,
      }),
    });
    await updater.start({ bootId, bootname, records });
    return { updater, feed };
  }

  #read(): ReadJournal {
    const { damage } = this;
    this.damage = undefined;
    return damage ? { journaled: { state: { phase: 'idle' }, failedVersions: [] }, damage } : { journaled: this.journaled };
  }

  async #write(journaled: Journaled): Promise<void> {
    const failure = this.writeFailures.shift();
    if (failure) throw failure;
    this.journaled = structuredClone(journaled);
    this.installer.asked.push(`journal ${journaled.state.phase}`);
  }

  /** Lets time pass until the update is in a phase. */
  async until(updater: Updater, phase: Phase): Promise<UpdateState> {
    for (let round = 0; round < 200 && updater.state.phase !== phase; round++) await this.clock.advance(500);
    if (updater.state.phase !== phase) throw new Error(`the update stayed ${updater.state.phase} and never was ${phase}`);
    return updater.state;
  }
}
