// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { Variant } from 'dbus-next';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { SystemBus } from '../../../../../agent/daemon/platform/dbus/system-bus.ts';
import { RaucInstaller } from '../../../../../agent/daemon/platform/rauc/rauc-installer.ts';
import type { InstallerEvent } from '../../../../../agent/daemon/update/installer.ts';
import { FakeRauc, introspection, refuse } from '../../../fakes/fake-rauc.ts';
import { PrivateBus } from '../../../fakes/private-bus.ts';

vi.setConfig({ testTimeout: 30_000 });
const SOON = { timeout: 10_000 };
/** RAUC here is a fake that opens nothing; the agent makes sure that it is a file. */
const FILE = import.meta.filename;
const BUNDLE = { location: FILE, transactionId: '5d900bfd-f71a-41d0-8f73-6a7848067a27' };

let daemon: PrivateBus;
let bus: SystemBus;
let rauc: FakeRauc;
let installer: RaucInstaller;
let events: InstallerEvent[];
let warnings: string[];
let problems: unknown[];

beforeEach(async () => {
  daemon = await PrivateBus.create();
  [events, warnings, problems] = [[], [], []];
  rauc = await FakeRauc.start(daemon.address);
  bus = new SystemBus({ address: daemon.address, random: () => 0, report: (problem) => problems.push(problem) });
  bus.start();
  await bus.ready(AbortSignal.timeout(10_000));
  const note = (_: unknown, sentence?: string) => void warnings.push(String(sentence));
  installer = new RaucInstaller(bus, { warn: note, error: note });
  installer.listen((event) => events.push(event));
});
afterEach(async () => {
  installer.close();
  bus.close();
  rauc.stop();
  await daemon.dispose();
});

const inTime = () => AbortSignal.timeout(20_000);
const ends = () => events.filter(({ type }) => type !== 'progress');

describe('what RAUC knows', () => {
  it('is the compatible and the last error', async () => {
    expect([await installer.compatible(inTime()), await installer.lastError(inTime())]).toEqual(['lamadist-test', '']);
  });

  it('are the bootable slots, by name', async () => {
    const slots = await installer.slots(inTime());
    expect(slots.map(({ name, bootname, booted, primary }) => ({ name, bootname, booted, primary }))).toEqual([
      { name: 'rootfs.0', bootname: 'A', booted: true, primary: true },
      { name: 'rootfs.1', bootname: 'B', booted: false, primary: false },
    ]);
  });

  it('does not hide the slots when the boot loader does not tell the primary one', async () => {
    rauc.replace('GetPrimary', () => refuse('Failed getting primary slot: custom backend: /w/backend.sh failed with exit code 3\n'));
    const slots = await installer.slots(inTime());
    expect(slots.map(({ primary }) => primary)).toEqual([false, false]);
    expect(warnings).toEqual(['RAUC cannot tell which slot is the primary one']);
  });

  it('is a bundle, after its signature was verified', async () => {
    expect(await installer.inspect(FILE, inTime())).toEqual({
      compatible: 'lamadist-test',
      version: '2.1',
      description: '',
      build: '20260101',
      format: 'verity',
      manifestHash: '9f13c39149543e1a',
      images: [{ slotClass: 'rootfs', sizeBytes: 105_660_416 }],
    });
  });

  it('is asked for by introspection once for each process of RAUC', async () => {
    for (let time = 0; time < 3; time += 1) await installer.inspect(FILE, inTime());
    expect(rauc.introspections).toBe(1);
    rauc.stop();
    rauc = await FakeRauc.start(daemon.address, { Introspect: () => ({ signature: 's', body: [introspection(['Info'])] }) });
    await vi.waitFor(
      () =>
        expect(installer.inspect(FILE, inTime())).rejects.toMatchObject({
          code: 'RAUC_UNAVAILABLE',
          message: `Cannot inspect "${FILE}": this RAUC has no InspectBundle, which came with version 1.9`,
        }),
      SOON,
    );
  });
});

describe('a slot', () => {
  it('is activated and marked', async () => {
    await installer.activate('rootfs.1', inTime());
    await installer.markGood('rootfs.1', inTime());
    await installer.markBad('rootfs.0', inTime());
    expect(rauc.marks).toEqual(['active rootfs.1', 'good rootfs.1', 'bad rootfs.0']);
  });

  it('that RAUC refuses to mark is a failure with its words', async () => {
    rauc.replace('Mark', () => refuse('No slot with class rootfs and name rootfs.7 found'));
    await expect(installer.activate('rootfs.7', inTime())).rejects.toMatchObject({
      code: 'RAUC_REFUSED',
      message: 'Cannot make slot "rootfs.7" the primary one: No slot with class rootfs and name rootfs.7 found',
    });
  });

  it('other than the one that was meant is a failure', async () => {
    rauc.replace('Mark', () => ({ signature: 'ss', body: ['rootfs.1', 'marked slot rootfs.1 as good'] }));
    await expect(installer.markGood('other', inTime())).rejects.toMatchObject({ code: 'RAUC_UNREADABLE' });
  });
});

describe('an install', () => {
  it('tells its progress and its end', async () => {
    await installer.install(BUNDLE, inTime());
    expect(await installer.installing(inTime())).toBe(true);
    rauc.progress(40, 'Copying image to rootfs.1');
    rauc.complete(0);
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'completed' }]), SOON);
    expect(events[0]).toEqual({ type: 'progress', percent: 40, message: 'Copying image to rootfs.1' });
    expect(await installer.installing(inTime())).toBe(false);
    expect(rauc.installs).toEqual([{ location: BUNDLE.location, args: { 'transaction-id': BUNDLE.transactionId } }]);
  });

  it('that failed says why, with the code for it', async () => {
    await installer.install(BUNDLE, inTime());
    rauc.complete(1, 'Installation error: Failed updating slot rootfs.1: Slot (33554432 bytes) is too small for image (41943040 bytes).');
    await vi.waitFor(
      () =>
        expect(ends()).toEqual([
          {
            type: 'failed',
            code: 'BUNDLE_TOO_LARGE',
            message: expect.stringMatching(/^Cannot install the bundle: Installation error: Failed updating slot rootfs\.1/),
          },
        ]),
      SOON,
    );
  });

  it('that failed without a word is a failure all the same', async () => {
    await installer.install(BUNDLE, inTime());
    rauc.complete(1);
    await vi.waitFor(
      () => expect(ends()).toMatchObject([{ type: 'failed', code: 'INSTALL_FAILED', message: expect.stringContaining('no reason') }]),
      SOON,
    );
  });

  it('vanishes with the process of RAUC', async () => {
    await installer.install(BUNDLE, inTime());
    rauc.stop();
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'vanished' }]), SOON);
    rauc = await FakeRauc.start(daemon.address);
    expect(await installer.installing(inTime())).toBe(false);
    expect(ends()).toHaveLength(1);
  });

  it('vanishes when the bus and RAUC came back without it', async () => {
    await installer.install(BUNDLE, inTime());
    await daemon.restart();
    rauc = await FakeRauc.start(daemon.address);
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'vanished' }]), SOON);
  });

  it('goes on when only the connection of the agent was lost', async () => {
    await installer.install(BUNDLE, inTime());
    rauc.replace('GetSlotStatus', () => ({ signature: 's', body: ['an answer beyond the limit'.repeat(200_000)] }));
    await expect(installer.slots(inTime())).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
    await bus.ready(inTime());
    expect(await installer.installing(inTime())).toBe(true);
    rauc.complete(0);
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'completed' }]), SOON);
  });

  it('is not over because RAUC shows itself idle', async () => {
    await installer.install(BUNDLE, inTime());
    await expect(installer.install(BUNDLE, inTime())).rejects.toMatchObject({
      code: 'UPDATE_IN_PROGRESS',
      message: `Cannot install "${FILE}": RAUC is already installing`,
    });
    expect(await installer.installing(inTime())).toBe(true);
    expect(ends()).toEqual([]);
    rauc.complete(0);
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'completed' }]), SOON);
  });

  it('that somebody else began is heard of, and missed when it vanishes', async () => {
    rauc.pretendInstalling();
    expect(await installer.installing(inTime())).toBe(true);
    rauc.stop();
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'vanished' }]), SOON);
  });

  it('is found by what RAUC refuses when its Operation lies', async () => {
    rauc.pretendInstalling('idle');
    expect(await installer.installing(inTime())).toBe(true);
  });

  it('is held to the manifest that was inspected where RAUC can do that', async () => {
    rauc.knownArguments = ['transaction-id', 'require-manifest-hash'];
    await installer.install({ ...BUNDLE, manifestHash: 'abc' }, inTime());
    expect(rauc.installs[0]?.args).toEqual({ 'transaction-id': BUNDLE.transactionId, 'require-manifest-hash': 'abc' });
  });

  it('goes on without the arguments that an old RAUC does not know, and says so', async () => {
    rauc.knownArguments = [];
    await installer.install({ ...BUNDLE, manifestHash: 'abc' }, inTime());
    expect(rauc.installs).toEqual([{ location: BUNDLE.location, args: {} }]);
    expect(warnings).toHaveLength(2);
    rauc.complete(0);
    await vi.waitFor(() => expect(ends()).toHaveLength(1), SOON);
    await installer.install({ ...BUNDLE, manifestHash: 'abc' }, inTime());
    expect(warnings).toHaveLength(2);
  });

  it('that was given up before its turn is never begun', async () => {
    let answer: (() => void) | undefined;
    rauc.replace('InspectBundle', async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return refuse('late');
    });
    const inspecting = installer.inspect(FILE, inTime()).catch((failure) => failure.code);
    await vi.waitUntil(() => answer, SOON);
    const abort = new AbortController();
    const installing = installer.install(BUNDLE, abort.signal);
    abort.abort();
    await expect(installing).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    answer?.();
    expect(await inspecting).toBe('RAUC_REFUSED');
    expect(await installer.installing(inTime())).toBe(false);
    expect([rauc.installs, ends()]).toEqual([[], []]);
  });

  it('that was given up after it was sent is still heard of', async () => {
    const begin = new AbortController();
    rauc.replace('InstallBundle', () => {
      rauc.pretendInstalling();
      begin.abort();
      return 'silence';
    });
    await expect(installer.install(BUNDLE, begin.signal)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    rauc.stop();
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'vanished' }]), SOON);
  });
});

describe('a RAUC that is not there', () => {
  it('is told apart from one that refuses', async () => {
    rauc.stop();
    await sleep(50);
    await expect(installer.slots(inTime())).rejects.toMatchObject({ code: 'RAUC_UNAVAILABLE' });
    await expect(installer.install(BUNDLE, inTime())).rejects.toMatchObject({ code: 'RAUC_UNAVAILABLE' });
    expect(ends()).toEqual([]);
  });

  it('because there is no bus says that', async () => {
    await daemon.kill();
    await vi.waitFor(() => expect(bus.state.connected).toBe(false), SOON);
    await expect(installer.slots(inTime())).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
  });

  it('leaves a call that it was answering with a failure', async () => {
    rauc.replace('InspectBundle', () => {
      rauc.stop();
      return 'silence';
    });
    await expect(installer.inspect(FILE, inTime())).rejects.toMatchObject({ code: 'RAUC_UNAVAILABLE' });
  });
});

describe('a hostile RAUC', () => {
  const s = (value: string) => new Variant('s', value);

  it.each([
    ['no slots', 's', 'none', "Cannot read the slots from RAUC's answer"],
    ['a slot without its device', 'a(sa{sv})', [['rootfs.0', { bootname: s('A'), state: s('booted') }]], 'slot "rootfs.0"'],
    [
      'a slot with a number for a bootname',
      'a(sa{sv})',
      [['rootfs.0', { bootname: new Variant('u', 3), device: s('/'), state: s('booted') }]],
      '"bootname"',
    ],
    [
      'a slot that was written at no time',
      'a(sa{sv})',
      [['rootfs.0', { bootname: s('A'), device: s('/'), state: s('booted'), 'installed.timestamp': s('never') }]],
      '"installed.timestamp"',
    ],
  ])('that gives %s is a clear failure', async (_, signature, body, words) => {
    rauc.replace('GetSlotStatus', () => ({ signature, body: [body] }));
    await expect(installer.slots(inTime())).rejects.toMatchObject({ code: 'RAUC_UNREADABLE', message: expect.stringContaining(words) });
  });

  it.each([
    ['nothing at all', '', []],
    ['a bundle without its update', 'a{sv}', [{}]],
    ['a number for a version', 'a{sv}', [{ update: new Variant('a{sv}', { compatible: s('x'), version: new Variant('d', 1) }) }]],
  ])('that inspects %s is a clear failure', async (_, signature, body) => {
    rauc.replace('InspectBundle', () => ({ signature, body }));
    await expect(installer.inspect(FILE, inTime())).rejects.toMatchObject({ code: 'RAUC_UNREADABLE' });
  });

  it('that has no properties is a clear failure', async () => {
    rauc.replace('GetAll', () => ({ signature: 'a{sv}', body: [{}] }));
    await expect(installer.compatible(inTime())).rejects.toMatchObject({
      code: 'RAUC_UNREADABLE',
      message: expect.stringContaining('the property Compatible'),
    });
  });

  it('that sends its signals in the wrong order confuses nobody', async () => {
    rauc.replace('InstallBundle', async () => {
      rauc.complete(0);
      rauc.progress(12, 'Copying');
      await sleep(50);
      rauc.pretendInstalling();
      return { signature: '', body: [] };
    });
    await installer.install(BUNDLE, inTime());
    await sleep(100);
    // The end came before the answer, and RAUC is at work: it was another install's end.
    expect(ends()).toEqual([]);
    rauc.complete(0);
    await vi.waitFor(() => expect(ends()).toEqual([{ type: 'completed' }]), SOON);
  });

  it('that ends an install before it says that it began is believed when it is found free', async () => {
    rauc.replace('InstallBundle', async () => {
      rauc.complete(1, 'No space left on device');
      return { signature: '', body: [] };
    });
    await installer.install(BUNDLE, inTime());
    await vi.waitFor(() => expect(ends()).toMatchObject([{ type: 'failed', code: 'NO_SPACE' }]), SOON);
  });

  it('that sends other types than it promised is reported, and the next signal is heard', async () => {
    rauc.change({ Progress: s('half') });
    rauc.change({ Progress: new Variant('(isi)', [400, 'too much', 1]) });
    rauc.emitCompleted('s', ['done']);
    rauc.progress(50, 'half');
    await vi.waitFor(() => expect(events.some(({ type }) => type === 'progress')).toBe(true), SOON);
    expect(problems).toHaveLength(2);
    await vi.waitFor(() => expect(ends()).toMatchObject([{ type: 'failed', code: 'INSTALL_FAILED' }]), SOON);
  });

  it('that is silent holds nobody up beyond the signal', async () => {
    rauc.replace('GetSlotStatus', () => 'silence');
    await expect(installer.slots(AbortSignal.timeout(50))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'Cannot ask RAUC for the slots: the caller stopped waiting',
    });
  });
});

it('a listener that throws silences no other', async () => {
  const stop = installer.listen(() => {
    throw new Error('broken listener');
  });
  onTestFinished(stop);
  rauc.complete(0);
  await vi.waitFor(() => expect(ends()).toEqual([{ type: 'completed' }]), SOON);
  expect(warnings).toContain('A listener to installs failed');
});
