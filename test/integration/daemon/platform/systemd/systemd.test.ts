// SPDX-License-Identifier: Apache-2.0
import { Variant } from 'dbus-next';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BUS } from '../../../../../agent/daemon/platform/dbus/message-types.ts';
import { SystemBus } from '../../../../../agent/daemon/platform/dbus/system-bus.ts';
import { rebootThroughLogin } from '../../../../../agent/daemon/platform/systemd/login.ts';
import { systemdProbes } from '../../../../../agent/daemon/platform/systemd/probes.ts';
import { FakeService } from '../../../fakes/fake-service.ts';
import { PrivateBus } from '../../../fakes/private-bus.ts';

type Row = [string, string, string, string, string, string, string, number, string, string];
const inTime = () => AbortSignal.timeout(20_000);

let daemon: PrivateBus;
let bus: SystemBus;
let systemd: FakeService;
let login: FakeService;
let timedate: FakeService;
let units: Row[];

const row = (name: string, active: string, sub: string, load = 'loaded'): Row => [
  name,
  'words',
  load,
  active,
  sub,
  '',
  `/org/freedesktop/systemd1/unit/${name.replaceAll(/\W/g, '_')}`,
  0,
  '',
  '/',
];
const rows = (found: Row[]) => ({ signature: 'a(ssssssouso)', body: [found] });

beforeAll(async () => {
  daemon = await PrivateBus.create();
  systemd = await FakeService.start(daemon.address, 'org.freedesktop.systemd1');
  login = await FakeService.start(daemon.address, 'org.freedesktop.login1');
  timedate = await FakeService.start(daemon.address, 'org.freedesktop.timedate1');
  bus = new SystemBus({ address: daemon.address, random: () => 0, report: () => {} });
  bus.start();
  await bus.ready(inTime());
});
afterAll(async () => {
  bus.close();
  await daemon.dispose();
});

beforeEach(() => {
  units = [];
  systemd.methods.set('ListUnitsByNames', ([names]) =>
    rows((names as string[]).map((name) => units.find(([known]) => known === name) ?? row(name, 'inactive', 'dead', 'not-found'))),
  );
  systemd.methods.set('ListUnitsFiltered', ([states]) => rows(units.filter(([, , , active]) => (states as string[]).includes(active))));
});

describe('a unit', () => {
  it.each([
    [row('k3s.service', 'active', 'running'), true, 'unit "k3s.service" is active (running)'],
    [row('k3s.service', 'reloading', 'reload'), true, 'unit "k3s.service" is reloading (reload)'],
    [row('k3s.service', 'failed', 'failed'), false, 'unit "k3s.service" is failed'],
    [row('k3s.service', 'activating', 'auto-restart'), false, 'unit "k3s.service" is activating (auto-restart)'],
    [row('k3s.service', 'inactive', 'dead', 'masked'), false, 'unit "k3s.service" is masked'],
  ])('is looked at: %s', async (unit, holds, detail) => {
    units = [unit];
    expect(await systemdProbes(bus)['unit-active']({ type: 'unit-active', unit: 'k3s.service' }, inTime())).toEqual({ holds, detail });
  });

  it('that nobody knows is not active', async () => {
    const observation = await systemdProbes(bus)['unit-active']({ type: 'unit-active', unit: 'x.service' }, inTime());
    expect(observation).toEqual({ holds: false, detail: 'unit "x.service" is not-found' });
  });
});

describe('failed units', () => {
  const look = (except: string[] = []) => systemdProbes(bus)['no-failed-units']({ type: 'no-failed-units', except }, inTime());

  it('are none', async () => {
    units = [row('a.service', 'active', 'running')];
    expect(await look()).toEqual({ holds: true, detail: 'no unit has failed' });
  });

  it('are named, but for the exceptions', async () => {
    units = [row('b.service', 'failed', 'failed'), row('a.mount', 'failed', 'failed')];
    expect(await look()).toEqual({ holds: false, detail: 'failed: a.mount, b.service' });
    expect(await look(['a.mount'])).toEqual({ holds: false, detail: 'failed: b.service' });
    expect(await look(['a.mount', 'b.service'])).toEqual({ holds: true, detail: 'no unit has failed' });
  });

  it('are counted when they are many', async () => {
    units = Array.from({ length: 13 }, (_, n) => row(`u${n + 10}.service`, 'failed', 'failed'));
    expect((await look()).detail).toMatch(/^failed: u10\.service, .*, u19\.service and 3 more$/);
  });
});

describe('a mount', () => {
  const look = (persistent = false) =>
    systemdProbes(bus)['mount-writable']({ type: 'mount-writable', path: '/var/lib', persistent }, inTime());

  it.each([
    ['rw,nosuid,relatime', true, '"/var/lib" is mounted writable'],
    ['ro,relatime,errors=rw', false, '"/var/lib" is mounted read-only'],
  ])('with the options %s', async (options, holds, detail) => {
    units = [row('var-lib.mount', 'active', 'mounted')];
    const asked: unknown[] = [];
    systemd.methods.set('GetAll', ([interfaceName], { path }) => {
      asked.push([interfaceName, path]);
      return { signature: 'a{sv}', body: [{ Options: new Variant('s', options), Type: new Variant('s', 'ext4') }] };
    });
    expect(await look()).toEqual({ holds, detail });
    expect(asked).toEqual([['org.freedesktop.systemd1.Mount', '/org/freedesktop/systemd1/unit/var_lib_mount']]);
  });

  it('that forgets everything is writable, unless what is written is to stay', async () => {
    units = [row('var-lib.mount', 'active', 'mounted')];
    systemd.methods.set('GetAll', () => ({
      signature: 'a{sv}',
      body: [{ Options: new Variant('s', 'rw'), Type: new Variant('s', 'tmpfs') }],
    }));
    expect(await look()).toMatchObject({ holds: true });
    expect(await look(true)).toEqual({ holds: false, detail: '"/var/lib" is a tmpfs, which forgets everything at a reboot' });
  });

  it('that is none is not writable', async () => {
    expect(await look()).toEqual({ holds: false, detail: '"/var/lib" is not mounted: unit "var-lib.mount" is not-found' });
  });
});

describe('the clock', () => {
  it.each([
    [true, 'the clock is synchronised'],
    [false, 'the clock is not synchronised'],
  ])('is asked for: %s', async (synchronised, detail) => {
    timedate.methods.set('GetAll', () => ({ signature: 'a{sv}', body: [{ NTPSynchronized: new Variant('b', synchronised) }] }));
    const observation = await systemdProbes(bus)['clock-synchronised']({ type: 'clock-synchronised' }, inTime());
    expect(observation).toEqual({ holds: synchronised, detail });
  });
});

describe('a systemd that does not answer as it should', () => {
  const look = (signal = inTime()) => systemdProbes(bus)['no-failed-units']({ type: 'no-failed-units', except: [] }, signal);

  it('is a clear failure', async () => {
    systemd.methods.set('ListUnitsFiltered', () => ({ signature: 's', body: ['none'] }));
    await expect(look()).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('cannot be read') });
    systemd.methods.set('ListUnitsFiltered', () => ({ error: 'org.freedesktop.DBus.Error.AccessDenied', text: 'no' }));
    await expect(look()).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'Cannot ask systemd for units: no (org.freedesktop.DBus.Error.AccessDenied)',
    });
  });

  it('is not waited for longer than the probe may take', async () => {
    systemd.methods.set('ListUnitsFiltered', () => 'silence');
    await expect(look(AbortSignal.timeout(50))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe('a reboot', () => {
  it('is ordered without asking anybody', async () => {
    const orders: unknown[] = [];
    login.methods.set('Reboot', (body) => {
      orders.push(body);
      return { signature: '', body: [] };
    });
    await rebootThroughLogin(bus)(inTime());
    expect(orders).toEqual([[false]]);
  });

  it('that polkit does not allow is refused with its words', async () => {
    login.methods.set('Reboot', () => ({
      error: 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired',
      text: 'Interactive authentication required.',
    }));
    await expect(rebootThroughLogin(bus)(inTime())).rejects.toMatchObject({
      code: 'REBOOT_REFUSED',
      message: 'Cannot reboot the node: Interactive authentication required. (org.freedesktop.DBus.Error.InteractiveAuthorizationRequired)',
    });
  });

  it('is ordered from a logind that is brought back first, when the bus has lost it', async () => {
    const orders: string[] = [];
    login.stop();
    const question = { ...BUS, member: 'NameHasOwner', signature: 's', body: ['org.freedesktop.login1'] };
    await expect.poll(() => bus.call(question, { timeoutMs: 1000 }).then(([owned]) => owned)).toBe(false);
    systemd.methods.set('RestartUnit', async ([unit]) => {
      orders.push(`restart ${unit}`);
      login = await FakeService.start(daemon.address, 'org.freedesktop.login1', {
        Reboot: () => {
          orders.push('reboot');
          return { signature: '', body: [] };
        },
      });
      return { signature: 'o', body: ['/job/1'] };
    });
    await rebootThroughLogin(bus)(inTime());
    expect(orders).toEqual(['restart systemd-logind.service', 'reboot']);
  });
});
