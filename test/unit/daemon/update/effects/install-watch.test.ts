// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { followInstall, requireWritten } from '../../../../../agent/daemon/update/effects/install-watch.ts';
import type { Slot } from '../../../../../agent/daemon/update/installer.ts';
import type { NewEvent } from '../../../../../agent/daemon/update/updater.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { FakeInstaller } from '../../../fakes/installer.ts';

const WRITTEN = { operationId: 'this', targetSlot: { name: 'rootfs.1', bootname: 'B' }, version: '2', manifestHash: 'abc' };
const HOUR_MS = 3_600_000;

/** An install that is followed; `end` settles as it does, and is undefined when all is well. */
function following(rejoin = false, begin?: (installer: FakeInstaller) => void) {
  const installer = new FakeInstaller();
  const clock = new FakeClock();
  const stop = new AbortController();
  const events: NewEvent[] = [];
  installer.isInstalling = rejoin;
  const install = async () => {
    await installer.install({ location: '/var/v2.raucb', transactionId: 'this' });
    begin?.(installer);
  };
  const emit = (event: NewEvent) => void events.push(event);
  const end = followInstall({ installer, clock }, WRITTEN, rejoin ? undefined : install, emit, stop.signal).catch((error) => error);
  const leftBehind = () => installer.listening + clock.sleeping;
  return { installer, clock, stop, events, end, leftBehind };
}

describe('an install that is followed', () => {
  it('passes its progress on and ends with it', async () => {
    const { installer, clock, events, end, leftBehind } = following();
    await clock.advance(0);
    installer.tell({ type: 'progress', percent: 40, message: 'Copying' });
    installer.finish();
    expect(await end).toBeUndefined();
    expect(events).toEqual([{ type: 'install-progress', percent: 40, message: 'Copying' }]);
    expect(leftBehind()).toBe(0);
  });

  it('is heard to end even while it is being started', async () => {
    const { end, leftBehind } = following(false, (installer) => installer.finish());
    expect(await end).toBeUndefined();
    expect(leftBehind()).toBe(0);
  });

  it('fails as the installer says', async () => {
    const { installer, end, leftBehind } = following();
    installer.tell({ type: 'failed', code: 'NO_SPACE', message: 'Cannot install the bundle: full' });
    expect(await end).toMatchObject({ code: 'NO_SPACE', message: 'Cannot install the bundle: full' });
    expect(leftBehind()).toBe(0);
  });

  it('that cannot be started fails at once', async () => {
    const { end, leftBehind } = following(false, () => {
      throw new Failure('RAUC_REFUSED', 'Cannot install');
    });
    expect(await end).toMatchObject({ code: 'RAUC_REFUSED' });
    expect(leftBehind()).toBe(0);
  });

  it('is left when nobody wants to wait any longer', async () => {
    const { stop, clock, end, leftBehind } = following();
    await clock.advance(0);
    stop.abort(new Error('enough'));
    expect(await end).toMatchObject({ message: 'enough' });
    expect(leftBehind()).toBe(0);
  });

  it('that never ends is given up after two hours', async () => {
    const { clock, end, leftBehind } = following();
    await clock.advance(2 * HOUR_MS - 1);
    // Its listener, its deadline, and the next question whether it goes on.
    expect(leftBehind()).toBe(3);
    await clock.advance(1);
    expect(await end).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(leftBehind()).toBe(0);
  });

  it('that ended without a word is judged by the slot once the installer is found free', async () => {
    for (const status of ['ok', 'pending']) {
      const { installer, clock, end, leftBehind } = following();
      await clock.advance(90_000);
      expect(leftBehind()).toBe(3);
      installer.slotB = { ...installer.slotB, status, version: '2', transactionId: 'this' };
      installer.isInstalling = false;
      await clock.advance(60_000);
      if (status === 'ok') expect(await end).toBeUndefined();
      else expect(await end).toMatchObject({ code: 'INSTALL_INTERRUPTED' });
      expect(leftBehind()).toBe(0);
    }
  });

  it('is judged by the slot when the installer vanished, as soon as it is back', async () => {
    const { installer, clock, end } = following();
    await clock.advance(0);
    installer.failures.set('slots', [new Failure('RAUC_UNAVAILABLE', 'Cannot ask RAUC: it is away')]);
    installer.slotB = { ...installer.slotB, status: 'ok', version: '2', transactionId: 'this' };
    installer.tell({ type: 'vanished' });
    await clock.advance(5_000);
    expect(await end).toBeUndefined();
  });

  it('goes on to be heard after a restart of the agent', async () => {
    const { installer, clock, events, end } = following(true);
    await clock.advance(0);
    installer.tell({ type: 'progress', percent: 70, message: 'Copying' });
    installer.finish();
    expect(await end).toBeUndefined();
    expect(events).toHaveLength(1);
  });

  it('that ended while the agent was away is judged by the slot, whatever error RAUC still remembers', async () => {
    const installer = new FakeInstaller();
    const join = () => followInstall({ installer, clock: new FakeClock() }, WRITTEN, undefined, () => {}, new AbortController().signal);
    installer.error = 'Failed to write image';
    await expect(join()).rejects.toMatchObject({ code: 'INSTALL_FAILED', message: 'Cannot use slot "rootfs.1": Failed to write image' });
    installer.slotB = { ...installer.slotB, status: 'ok', version: '2' };
    await join();
    expect(installer.listening).toBe(0);
  });
});

describe('a slot holds what an operation was to write', () => {
  const slot: Slot = { ...new FakeInstaller().slotB, status: 'ok', version: '2' };
  const told = { transactionId: 'this', manifestHash: 'abc' };

  it.each<[string, Slot, string?]>([
    ['when RAUC tells everything', { ...slot, ...told }],
    ['when RAUC is too old to tell by whom', slot],
    ['when the hash of the bundle is not known', { ...slot, manifestHash: 'def' }, ''],
  ])('%s', (_when, found, manifestHash = WRITTEN.manifestHash) => {
    requireWritten([new FakeInstaller().slotA, found], { ...WRITTEN, manifestHash });
  });

  it.each([
    ['the slot is unknown', [], 'RAUC does not know it'],
    ['it was not written whole', [{ ...slot, status: 'pending' }], 'its status is "pending" and its version "2"'],
    ['it has another version', [{ ...slot, version: '1' }], 'its status is "ok" and its version "1"'],
    ['another operation wrote it', [{ ...slot, ...told, transactionId: 'that' }], 'another operation wrote it'],
    ['it has another content', [{ ...slot, ...told, manifestHash: 'def' }], 'it holds another bundle of version 2'],
  ])('not when %s', (_when, slots, found) => {
    const message = `Cannot use slot "rootfs.1": ${found}`;
    expect(() => requireWritten(slots, WRITTEN)).toThrow(expect.objectContaining({ code: 'INSTALL_INTERRUPTED', message }));
  });
});
