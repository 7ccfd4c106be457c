// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { Variant } from 'dbus-next';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SystemBus } from '../../../../agent/daemon/platform/dbus/system-bus.ts';
import { RaucInstaller } from '../../../../agent/daemon/platform/rauc/rauc-installer.ts';
import { systemClock } from '../../../../agent/daemon/timing/clock.ts';
import { effectRunner } from '../../../../agent/daemon/update/effects/effects.ts';
import { Feed } from '../../../../agent/daemon/update/feed.ts';
import { isEnded, type UpdateState } from '../../../../agent/daemon/update/life/state.ts';
import { History } from '../../../../agent/daemon/update/records/history.ts';
import { Journal } from '../../../../agent/daemon/update/records/journal.ts';
import { Updater } from '../../../../agent/daemon/update/updater.ts';
import { temporaryFolder } from '../../../unit/fakes/folder.ts';
import { keepingLogger } from '../../../unit/fakes/log.ts';
import { FakeRauc, introspection, refuse } from '../../fakes/fake-rauc.ts';
import type { Answer } from '../../fakes/fake-service.ts';
import { PrivateBus } from '../../fakes/private-bus.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A minute of the agent's patience is a third of a second here, and no answer is waited for longer than a second. */
const HASTE = 200;
const ANSWER_MS = 1_000;
const hastyClock = {
  now: () => new Date(),
  monotonicMs: () => systemClock.monotonicMs() * HASTE,
  sleep: (durationMs: number, signal: AbortSignal) => systemClock.sleep(durationMs / HASTE, signal),
};

let daemon: PrivateBus;
beforeAll(async () => {
  daemon = await PrivateBus.create();
});
afterAll(() => daemon.dispose());

/** A whole life of an update on real files and a real bus; only the node around it is left out. */
async function agentWith(rauc: FakeRauc) {
  const folder = await temporaryFolder();
  const { log } = keepingLogger();
  const bus = new SystemBus({ address: daemon.address, random: () => 0, report: () => {} });
  bus.start();
  await bus.ready(AbortSignal.timeout(10_000));
  const hasty: Pick<SystemBus, 'call' | 'getProperties' | 'subscribe' | 'onOwnerChange'> = {
    call: (call, options) => bus.call(call, { ...options, timeoutMs: ANSWER_MS }),
    getProperties: (object, options) => bus.getProperties(object, { ...options, timeoutMs: ANSWER_MS }),
    subscribe: (match, handler) => bus.subscribe(match, handler),
    onOwnerChange: (name, listener) => bus.onOwnerChange(name, listener),
  };
  const installer = new RaucInstaller(hasty, log);
  const feed = new Feed<UpdateState>(randomUUID(), { phase: 'idle' });
  const nothing = async () => {};
  const updater: Updater = new Updater({
    journal: new Journal(folder),
    reserve: { hold: nothing, spend: async () => false },
    history: new History(folder),
    feed,
    clock: hastyClock,
    log,
    runEffect: effectRunner({
      installer,
      clock: hastyClock,
      boot: { bootId: 'this-boot', bootname: 'A' },
      delivery: { deliver: async () => '/nowhere', whyUnread: () => undefined, end: nothing, sweep: nothing },
      reboot: nothing,
      marks: { arm: nothing, disarm: nothing, committed: nothing, gate: nothing },
      gate: async () => ({ passed: true }),
      bootLog: async () => '',
      failedHere: () => false,
      runningVersion: '1',
      deviceSizeBytes: async () => undefined,
      clockSynchronised: async () => true,
      clockPatienceMs: 0,
    }),
  });
  await updater.start({ bootId: 'this-boot', bootname: 'A', records: [] });
  onTestFinished(() => {
    updater.stop();
    installer.close();
    bus.close();
    rauc.stop();
  });
  return { updater, feed };
}

const OPERATION = {
  id: '99999999-9999-4999-8999-999999999999',
  source: { type: 'path', path: import.meta.filename },
  rebootPolicy: 'manual',
  force: false,
  allowDowngrade: false,
  bytesPerSecond: 0,
  window: '',
  requestedBy: 'alice',
} as const;

/** Installs, and waits until the update has ended, or waits for the reboot. */
async function install(rauc: FakeRauc): Promise<UpdateState> {
  const { updater, feed } = await agentWith(rauc);
  await updater.submit({ type: 'install-requested', operation: OPERATION });
  for await (const { value } of feed.follow('', AbortSignal.timeout(50_000))) {
    if (isEnded(value) || value.phase === 'pending-reboot') return value;
  }
  throw new Error(`The update stayed ${updater.state.phase}`);
}

const text = (value: string) => new Variant('s', value);
const reply = (signature: string, ...body: unknown[]): Answer => ({ signature, body });
const slotB = (changes: Record<string, Variant>) => (rauc: FakeRauc) => {
  rauc.slots = rauc.slots.map(([name, slot]) => [name, name === 'rootfs.1' ? { ...slot, ...changes } : slot]);
};
const without = (key: string) => (rauc: FakeRauc) => {
  rauc.slots = rauc.slots.map(([name, slot]) => [name, Object.fromEntries(Object.entries(slot).filter(([other]) => other !== key))]);
};
/** What version 2.1 leaves in slot B when it is written whole. */
const WRITTEN = { status: text('ok'), 'bundle.version': text('2.1'), 'installed.transaction': text(OPERATION.id) };

/** RAUC takes the order and then does this. */
const afterOrder = (then: (rauc: FakeRauc) => void) => (rauc: FakeRauc) =>
  rauc.replace('InstallBundle', () => {
    rauc.pretendInstalling();
    setTimeout(() => then(rauc), 20);
    return reply('');
  });

function leaveAtOrder(rauc: FakeRauc): void {
  rauc.replace('InstallBundle', () => {
    rauc.stop();
    return 'silence';
  });
}

/** What RAUC does wrong, and the code with which the update then fails. */
const MISDEEDS: readonly (readonly [string, (rauc: FakeRauc) => void, string])[] = [
  ['answers with a text where the slots should be', (rauc) => rauc.replace('GetSlotStatus', () => reply('s', 'none')), 'RAUC_UNREADABLE'],
  ['answers with nothing where the slots should be', (rauc) => rauc.replace('GetSlotStatus', () => reply('')), 'RAUC_UNREADABLE'],
  ['has a slot without a device', without('device'), 'RAUC_UNREADABLE'],
  ['has a slot without a state', without('state'), 'RAUC_UNREADABLE'],
  ['has a slot whose state is a number', slotB({ state: new Variant('u', 7) }), 'RAUC_UNREADABLE'],
  ['has a slot that was written at no time', slotB({ 'installed.timestamp': text('yesterday') }), 'RAUC_UNREADABLE'],
  ['knows no slot that can be booted', without('bootname'), 'RAUC_REFUSED'],
  ['knows two slots of this boot', slotB({ bootname: text('A') }), 'RAUC_REFUSED'],
  ['tells a number where the primary slot should be', (rauc) => rauc.replace('GetPrimary', () => reply('u', 1)), 'RAUC_UNREADABLE'],
  ['has no properties', (rauc) => rauc.replace('GetAll', () => reply('a{sv}', {})), 'RAUC_UNREADABLE'],
  ['is too old to inspect a bundle', (rauc) => rauc.replace('Introspect', () => reply('s', introspection(['Mark']))), 'RAUC_UNAVAILABLE'],
  ['describes a bundle with nothing', (rauc) => rauc.replace('InspectBundle', () => reply('a{sv}', {})), 'RAUC_UNREADABLE'],
  ['describes a bundle with a text', (rauc) => rauc.replace('InspectBundle', () => reply('s', 'good')), 'RAUC_UNREADABLE'],
  ['refuses in its own words', (rauc) => rauc.replace('InstallBundle', () => refuse('I would rather not')), 'RAUC_REFUSED'],
  ['never answers the question for its slots', (rauc) => rauc.replace('GetSlotStatus', () => 'silence'), 'DEADLINE_EXCEEDED'],
  ['never answers the order', (rauc) => rauc.replace('InstallBundle', () => 'silence'), 'DEADLINE_EXCEEDED'],
  ['leaves when it is given the order', leaveAtOrder, 'RAUC_UNAVAILABLE'],
  ['says that it is done and has written nothing', afterOrder((rauc) => rauc.complete(0)), 'INSTALL_INTERRUPTED'],
  ['ends with a text', afterOrder((rauc) => rauc.emitCompleted('s', ['fine'])), 'INSTALL_FAILED'],
  ['ends with nothing', afterOrder((rauc) => rauc.emitCompleted('', [])), 'INSTALL_FAILED'],
  ['ends with a failure and no reason', afterOrder((rauc) => rauc.complete(77)), 'INSTALL_FAILED'],
  ['is free again without ever having told an end', afterOrder((rauc) => rauc.pretendIdle()), 'INSTALL_INTERRUPTED'],
  ['leaves in the middle, and does not come back', afterOrder((rauc) => rauc.stop()), 'RAUC_UNAVAILABLE'],
];

describe('an update with a RAUC that', () => {
  it.each(MISDEEDS)('%s fails with a code of its own', async (_what, misbehave, code) => {
    const rauc = await FakeRauc.start(daemon.address);
    misbehave(rauc);
    const state = await install(rauc);
    expect(state).toMatchObject({ phase: 'failed', reason: { code } });
    expect(rauc.marks).toEqual([]);
  });

  it.each([
    ['marks another slot than the one it was told to', () => reply('ss', 'rootfs.0', 'marked')],
    ['answers the order to activate with nothing', () => reply('')],
    ['never answers the order to activate', (): Answer => 'silence'],
  ])('%s is rolled back', async (_what, mark) => {
    const rauc = await FakeRauc.start(daemon.address);
    afterOrder((written) => {
      slotB(WRITTEN)(written);
      written.complete(0);
    })(rauc);
    rauc.replace('Mark', mark);
    expect(await install(rauc)).toMatchObject({ phase: 'rolled-back', reason: { code: 'ACTIVATION_FAILED' } });
  });

  it.each<readonly [string, (rauc: FakeRauc) => void]>([
    ['tells of progress beyond all bounds', (rauc) => rauc.progress(4_000, 'beyond')],
    ['tells of progress of another type', (rauc) => rauc.change({ Progress: text('half') })],
    ['tells of progress that goes back', (rauc) => [90, 10, 0].forEach((percent) => void rauc.progress(percent, 'back'))],
    ['tells of progress in words without end', (rauc) => rauc.progress(50, 'word '.repeat(100_000))],
    ['tells of progress two thousand times', (rauc) => Array.from({ length: 2_000 }, (_, i) => rauc.progress(i % 100, `${i}`))],
    ['shows itself idle while it works', (rauc) => rauc.change({ Operation: text('idle') })],
    ['shows itself in a state of its own', (rauc) => rauc.change({ Operation: text('dreaming') })],
  ])('%s goes on, and is activated', async (_what, misbehave) => {
    const rauc = await FakeRauc.start(daemon.address);
    afterOrder((writing) => {
      misbehave(writing);
      slotB(WRITTEN)(writing);
      writing.complete(0);
    })(rauc);
    expect(await install(rauc)).toMatchObject({ phase: 'pending-reboot' });
    expect(rauc.marks).toEqual(['active rootfs.1']);
  });
});
