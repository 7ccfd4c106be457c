// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type EffectPorts, effectRunner } from '../../../../../agent/daemon/update/effects/effects.ts';
import type { Slot } from '../../../../../agent/daemon/update/installer.ts';
import type { Effect } from '../../../../../agent/daemon/update/life/effect.ts';
import type { NewEvent } from '../../../../../agent/daemon/update/updater.ts';
import { Failure } from '../../../../../agent/shared/failure.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { FakeInstaller } from '../../../fakes/installer.ts';
import { OPERATION } from '../node.ts';

const A = { name: 'rootfs.0', bootname: 'A' };
const B = { name: 'rootfs.1', bootname: 'B' };

/** One effect at a time, on neighbours that write down, in one list, what they were asked. */
function bench(changes: Partial<EffectPorts> = {}) {
  const installer = new FakeInstaller();
  const clock = new FakeClock();
  const { asked } = installer;
  const note =
    (call: string) =>
    async (...about: unknown[]) =>
      void asked.push([call, ...about.filter((each) => typeof each === 'string')].join(' '));
  const run = effectRunner({
    installer,
    clock,
    clockSynchronised: async () => true,
    clockPatienceMs: 600_000,
    delivery: { deliver: async () => '/var/download/x.raucb', whyUnread: () => undefined, end: note('end'), sweep: note('sweep') },
    runningVersion: '1',
    deviceSizeBytes: async () => 1000,
    reboot: note('reboot'),
    marks: { arm: note('arm'), disarm: note('disarm'), committed: note('committed'), gate: note('gate') },
    gate: async () => ({ passed: true }),
    bootLog: async (bootId) => `log of ${bootId}`,
    boot: { bootId: 'boot', bootname: 'A' },
    failedHere: () => false,
    ...changes,
  });
  const events: NewEvent[] = [];
  const carryOut = (effect: Effect, signal = new AbortController().signal) => run(effect, (event) => events.push(event), signal);
  return { installer, clock, asked, events, carryOut };
}

describe('the inspection', () => {
  const inspect: Effect = { type: 'inspect', location: '/var/v2.raucb' };

  it('finds the slot that runs and the one to write', async () => {
    const { carryOut } = bench({ failedHere: (version) => version === '2' });
    expect(await carryOut(inspect)).toMatchObject({ sourceSlot: A, targetSlot: B, bootId: 'boot', failedHere: true });
  });

  it('finds what each slot holds that will be written', async () => {
    const { installer, carryOut } = bench({ deviceSizeBytes: async (device) => (device === '/dev/esp-b' ? 100 : undefined) });
    const group = [
      { name: 'esp.1', slotClass: 'esp', device: '/dev/esp-b' },
      { name: 'rootfs.1', slotClass: 'rootfs', device: '/dev/B' },
    ];
    installer.slotB = { ...installer.slotB, group };
    expect(await carryOut(inspect)).toMatchObject({
      targetSlots: [
        { name: 'esp.1', slotClass: 'esp', sizeBytes: 100 },
        { name: 'rootfs.1', slotClass: 'rootfs', sizeBytes: undefined },
      ],
    });
  });

  it('fails for why the bundle could not be read, which the installer does not know', async () => {
    const refused = new Failure('DOWNLOAD_REFUSED', 'Cannot fetch the bundle: the server answered 403');
    const delivery = { deliver: async () => '', whyUnread: () => refused, end: async () => {}, sweep: async () => {} };
    const { installer, carryOut } = bench({ delivery });
    installer.failures.set('inspect', [new Failure('INSTALL_FAILED', 'failed to read data from remote server')]);
    await expect(carryOut(inspect)).rejects.toBe(refused);
  });

  const third = (installer: FakeInstaller): Slot => ({ ...installer.slotB, name: 'rootfs.2', bootname: 'C' });
  it.each<[string, (installer: FakeInstaller) => Slot[], string]>([
    ['no slots', () => [], 'Cannot find one slot with the bootname "A" of this boot: RAUC knows none'],
    ['none but the booted one', ({ slotA }) => [slotA], 'Cannot find one slot that is not the booted one: RAUC knows rootfs.0 (A)'],
    ['another booted one', ({ slotB }) => [slotB], 'Cannot find one slot with the bootname "A" of this boot: RAUC knows rootfs.1 (B)'],
    [
      'two that could be written',
      (installer) => [installer.slotA, installer.slotB, third(installer)],
      'Cannot find one slot that is not the booted one: RAUC knows rootfs.0 (A), rootfs.1 (B), rootfs.2 (C)',
    ],
  ])('says so when RAUC knows %s', async (_what, slots, message) => {
    const { installer, carryOut } = bench();
    installer.slots = async () => slots(installer);
    await expect(carryOut(inspect)).rejects.toMatchObject({ code: 'RAUC_REFUSED', message });
  });
});

describe('the install', () => {
  const install = (manifestHash: string): Effect => {
    return { type: 'install', location: '/var/v2.raucb', operationId: 'this', targetSlot: B, version: '2', manifestHash };
  };

  it.each([
    ['holds RAUC to the manifest that was inspected', 'abc', { manifestHash: 'abc' }],
    ['asks for no manifest where RAUC told none', '', {}],
  ])('%s', async (_what, hash, told) => {
    const { installer, carryOut } = bench();
    const requests: unknown[] = [];
    installer.install = async (request) => {
      requests.push(request);
      installer.finish();
    };
    expect(await carryOut(install(hash))).toEqual({ type: 'install-completed' });
    expect(requests).toEqual([{ location: '/var/v2.raucb', transactionId: 'this', ...told }]);
  });
});

describe('the activation', () => {
  it('writes down what is about to boot before the boot loader is told', async () => {
    const { asked, carryOut } = bench();
    await carryOut({ type: 'activate', operationId: 'this', targetSlot: B, bootId: 'boot' });
    expect(asked).toEqual(['arm this B boot', 'activate rootfs.1']);
  });

  it('tells the boot loader nothing when that cannot be written', async () => {
    const full = async () => Promise.reject(new Error('ENOSPC'));
    const { asked, carryOut } = bench({ marks: { arm: full, disarm: full, committed: full, gate: full } });
    await expect(carryOut({ type: 'activate', operationId: 'this', targetSlot: B, bootId: 'boot' })).rejects.toThrow('ENOSPC');
    expect(asked).toEqual([]);
  });
});

describe('the trial', () => {
  const confirm: Effect = { type: 'confirm-target', targetSlot: B, version: '2' };
  const target: Partial<Slot> = { booted: true, status: 'ok', version: '2' };

  it('is confirmed when the target slot runs and holds the version', async () => {
    const { installer, carryOut } = bench();
    installer.slotB = { ...installer.slotB, ...target };
    expect(await carryOut(confirm)).toEqual({ type: 'target-confirmed' });
  });

  it.each([
    ['does not run', { booted: false }, 'it is not booted, its status is "ok" and its version "2"'],
    ['was not written whole', { status: 'pending' }, 'it is booted, its status is "pending" and its version "2"'],
    ['holds another version', { version: '1' }, 'it is booted, its status is "ok" and its version "1"'],
  ])('is not when the target slot %s', async (_what, flaw, found) => {
    const { installer, carryOut } = bench();
    installer.slotB = { ...installer.slotB, ...target, ...flaw };
    await expect(carryOut(confirm)).rejects.toMatchObject({ message: `Cannot try 2 in slot "rootfs.1": ${found}` });
  });

  it('passes on each check and what the gate decided', async () => {
    const check = { name: 'web', severity: 'required', outcome: 'failed', detail: '', attempts: 1, durationMs: 1, atMs: 1 } as const;
    const { events, carryOut } = bench({
      gate: async (onCheck) => {
        onCheck(check);
        return { passed: false, code: 'GATE_TIMED_OUT', message: 'Cannot wait', failedChecks: ['web'] };
      },
    });
    const decided = await carryOut({ type: 'run-gate' });
    expect(events).toEqual([{ type: 'check-finished', check }]);
    expect(decided).toEqual({ type: 'gate-failed', code: 'GATE_TIMED_OUT', message: 'Cannot wait', failedChecks: ['web'] });
  });

  it('is committed to the boot loader before anybody is told', async () => {
    const { asked, carryOut } = bench();
    await carryOut({ type: 'commit', targetSlot: B });
    expect(asked).toEqual(['markGood rootfs.1', 'committed', 'disarm', 'gate passed']);
  });

  it('tells nobody of a commit that the boot loader refused', async () => {
    const { installer, asked, carryOut } = bench();
    installer.failures.set('markGood', [new Failure('RAUC_REFUSED', 'Cannot mark it')]);
    await expect(carryOut({ type: 'commit', targetSlot: B })).rejects.toMatchObject({ code: 'RAUC_REFUSED' });
    expect(asked).toEqual(['markGood rootfs.1']);
  });
});

describe('the way back', () => {
  const restore: Effect = { type: 'restore-source', sourceSlot: A, targetSlot: B, delayMs: 0 };

  it.each([
    ['the target slot', 'B', ['markBad rootfs.1', 'activate rootfs.0', 'disarm']],
    ['the source slot, which needs no trial', 'A', ['markBad rootfs.1', 'activate rootfs.0', 'markGood rootfs.0', 'disarm']],
  ])('from %s', async (_where, bootname, expected) => {
    const { clock, asked, carryOut } = bench({ boot: { bootId: 'boot', bootname } });
    const done = carryOut(restore);
    await clock.advance(0);
    expect(await done).toEqual({ type: 'source-restored' });
    expect(asked).toEqual(expected);
  });

  it('waits before it is tried again, and not when the update went on', async () => {
    const { clock, asked, carryOut } = bench();
    const stop = new AbortController();
    const tried = carryOut({ ...restore, delayMs: 10_000 }, stop.signal).catch((error) => error);
    await clock.advance(9_999);
    stop.abort(new Error('gone on'));
    expect(await tried).toMatchObject({ message: 'gone on' });
    expect(asked).toEqual([]);
  });
});

describe('what remains to be done', () => {
  it.each<[Effect, NewEvent | undefined, string[]]>([
    [{ type: 'deliver', operation: OPERATION }, { type: 'bundle-delivered', location: '/var/download/x.raucb' }, []],
    [{ type: 'read-boot-log', bootId: 'failed' }, { type: 'boot-log-read', log: 'log of failed' }, []],
    [{ type: 'clean-up', operationId: 'op', keepBundle: false }, undefined, ['end op', 'disarm']],
    [{ type: 'reboot', delayMs: 0, window: '' }, undefined, ['reboot']],
  ])('%o', async (effect, event, expected) => {
    const { clock, asked, carryOut } = bench();
    const done = carryOut(effect);
    await clock.advance(0);
    expect(await done).toEqual(event);
    expect(asked).toEqual(expected);
  });
});

describe('a window', () => {
  // The fake clock begins on Thursday, 2026-01-01 at 00:00 UTC.
  it('is waited for, and said when it is known', async () => {
    const { clock, events, carryOut } = bench();
    const done = carryOut({ type: 'await-window', window: 'Thu 02:00-03:00' });
    await clock.advance(7_199_000);
    expect(events).toEqual([
      { type: 'window-planned', opensAtMs: null },
      { type: 'window-planned', opensAtMs: Date.parse('2026-01-01T02:00:00Z') },
    ]);
    await clock.advance(1_000);
    expect(await done).toEqual({ type: 'window-opened' });
  });

  it('is waited for with the reboot, too', async () => {
    const { clock, asked, carryOut } = bench();
    const done = carryOut({ type: 'reboot', delayMs: 0, window: '02:00-03:00' });
    await clock.advance(7_199_000);
    expect(asked).toEqual([]);
    await clock.advance(1_000);
    await done;
    expect(asked).toEqual(['reboot']);
  });

  it('is open at once to a clock that was synchronised within it', async () => {
    const { clock, carryOut } = bench();
    const done = carryOut({ type: 'await-window', window: '00:00-00:30' });
    await clock.advance(0);
    expect(await done).toEqual({ type: 'window-opened' });
  });

  it('waits for the clock to be synchronised first, for ten minutes', async () => {
    let synchronised = false;
    const { clock, events, carryOut } = bench({ clockSynchronised: async () => synchronised });
    const done = carryOut({ type: 'await-window', window: '00:00-01:00' });
    await clock.advance(60_000);
    expect(events).toEqual([{ type: 'window-planned', opensAtMs: null }]);
    synchronised = true;
    await clock.advance(30_000);
    expect(await done).toEqual({ type: 'window-opened' });
  });

  it('goes by the clock that there is when nothing ever synchronises it', async () => {
    const { clock, carryOut } = bench({ clockSynchronised: async () => false });
    const done = carryOut({ type: 'await-window', window: '00:00-01:00' });
    await clock.advance(600_000);
    expect(await done).toEqual({ type: 'window-opened' });
  });

  it('notices that the clock was set meanwhile', async () => {
    let offsetMs = 0;
    const fake = new FakeClock();
    const jumping = {
      now: () => new Date(fake.now().getTime() + offsetMs),
      monotonicMs: () => fake.monotonicMs(),
      sleep: (durationMs: number, signal: AbortSignal) => fake.sleep(durationMs, signal),
    };
    const { carryOut } = bench({ clock: jumping });
    const done = carryOut({ type: 'await-window', window: '12:00-13:00' });
    await fake.advance(10_000);
    offsetMs = 12 * 3_600_000;
    await fake.advance(30_000);
    expect(await done).toEqual({ type: 'window-opened' });
  });
});

describe('a certificate that is not valid yet', () => {
  const inspect: Effect = { type: 'inspect', location: '/var/v2.raucb' };
  const early = new Failure('CERTIFICATE_NOT_YET_VALID', 'Cannot inspect the bundle: certificate is not yet valid');

  it('is tried again until the clock is set', async () => {
    let synchronised = false;
    const { installer, clock, carryOut } = bench({ clockSynchronised: async () => synchronised });
    const inspection = installer.inspect.bind(installer);
    installer.inspect = async (...given) => {
      if (!synchronised) throw early;
      return inspection(...given);
    };
    const done = carryOut(inspect);
    await clock.advance(20_000);
    synchronised = true;
    await clock.advance(5_000);
    expect(await done).toMatchObject({ type: 'inspected' });
  });

  it('is an answer to a clock that is synchronised', async () => {
    const { installer, carryOut } = bench();
    installer.inspect = async () => Promise.reject(early);
    await expect(carryOut(inspect)).rejects.toBe(early);
  });

  it('is an answer when the clock is not set in time', async () => {
    const { installer, clock, carryOut } = bench({ clockSynchronised: async () => false });
    installer.inspect = async () => Promise.reject(early);
    const done = carryOut(inspect).catch((error) => error);
    await clock.advance(599_000);
    expect(clock.sleeping).toBe(1);
    await clock.advance(6_000);
    expect(await done).toBe(early);
  });
});
