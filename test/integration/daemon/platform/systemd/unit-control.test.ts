// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemBus } from '../../../../../agent/daemon/platform/dbus/system-bus.ts';
import { systemdUnits } from '../../../../../agent/daemon/platform/systemd/unit-control.ts';
import { systemClock } from '../../../../../agent/daemon/timing/clock.ts';
import { FakeService } from '../../../fakes/fake-service.ts';
import { PrivateBus } from '../../../fakes/private-bus.ts';

const inTime = () => AbortSignal.timeout(20_000);
const row = (name: string, load: string, active: string, sub: string, jobId = 0) => {
  return [name, `about ${name}`, load, active, sub, '', '/org/freedesktop/systemd1/unit/x', jobId, '', '/'];
};
const rows = (...found: unknown[]) => ({ signature: 'a(ssssssouso)', body: [found] });

let daemon: PrivateBus;
let bus: SystemBus;
let systemd: FakeService;
let orders: unknown[];

beforeAll(async () => {
  daemon = await PrivateBus.create();
  systemd = await FakeService.start(daemon.address, 'org.freedesktop.systemd1');
  bus = new SystemBus({ address: daemon.address, random: () => 0, report: () => {} });
  bus.start();
  await bus.ready(inTime());
});
afterAll(async () => {
  bus.close();
  await daemon.dispose();
});

/** systemd as it is on successive looks at the unit. */
function looks(...seen: unknown[]) {
  systemd.methods.set('ListUnitsByNames', () => rows(seen.length > 1 ? seen.shift() : seen[0]));
}

beforeEach(() => {
  orders = [];
  systemd.methods.set('RestartUnit', (body) => {
    orders.push(body);
    return { signature: 'o', body: ['/org/freedesktop/systemd1/job/7'] };
  });
});

const restart = (name = 'k3s.service', signal = inTime()) => systemdUnits(bus, systemClock).restart(name, signal);

describe('the list of units', () => {
  it('is in the order of their names, and asked for by states and patterns', async () => {
    let asked: unknown;
    systemd.methods.set('ListUnitsByPatterns', (body) => {
      asked = body;
      return rows(row('b.service', 'loaded', 'failed', 'failed'), row('a.timer', 'loaded', 'active', 'waiting'));
    });
    expect(await systemdUnits(bus, systemClock).list({ states: ['failed'], patterns: ['*.timer'] }, inTime())).toEqual([
      { name: 'a.timer', description: 'about a.timer', loadState: 'loaded', activeState: 'active', subState: 'waiting' },
      { name: 'b.service', description: 'about b.service', loadState: 'loaded', activeState: 'failed', subState: 'failed' },
    ]);
    expect(asked).toEqual([['failed'], ['*.timer']]);
  });
});

describe('a restart', () => {
  it('is over once systemd has no job for the unit any more', async () => {
    const up = row('k3s.service', 'loaded', 'active', 'running');
    looks(up, row('k3s.service', 'loaded', 'deactivating', 'stop', 7), row('k3s.service', 'loaded', 'activating', 'start', 7), up);
    expect(await restart()).toMatchObject({ activeState: 'active', subState: 'running' });
    expect(orders).toEqual([['k3s.service', 'replace']]);
  });

  it('of a service that runs once ends with it inactive', async () => {
    looks(row('once.service', 'loaded', 'inactive', 'dead'));
    expect(await restart('once.service')).toMatchObject({ activeState: 'inactive' });
  });

  it.each([
    ['failed', 'failed'],
    ['activating', 'auto-restart'],
  ])('that leaves the unit %s (%s) failed', async (active, sub) => {
    looks(row('k3s.service', 'loaded', 'active', 'running'), row('k3s.service', 'loaded', active, sub));
    await expect(restart()).rejects.toMatchObject({
      code: 'UNIT_FAILED',
      message: `Cannot restart "k3s.service": it is ${active} (${sub}) now`,
    });
  });

  it('of a unit that nobody knows is not even ordered', async () => {
    looks(row('x.service', 'not-found', 'inactive', 'dead'));
    await expect(restart('x.service')).rejects.toMatchObject({ code: 'UNIT_NOT_FOUND' });
    expect(orders).toEqual([]);
  });

  it.each([
    ['org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', 'RESTART_NOT_ALLOWED'],
    ['org.freedesktop.DBus.Error.AccessDenied', 'RESTART_NOT_ALLOWED'],
    ['org.freedesktop.systemd1.UnitMasked', 'UNIT_FAILED'],
  ])('that systemd refuses with %s is %s', async (error, code) => {
    looks(row('k3s.service', 'loaded', 'active', 'running'));
    systemd.methods.set('RestartUnit', () => ({ error, text: 'no' }));
    await expect(restart()).rejects.toMatchObject({ code, message: `Cannot restart "k3s.service": no (${error})` });
  });

  it('is not waited for by a caller who went', async () => {
    looks(row('k3s.service', 'loaded', 'activating', 'start', 7));
    const gone = new AbortController();
    const restarting = restart('k3s.service', gone.signal);
    setTimeout(() => gone.abort(new Error('the caller went')), 300);
    await expect(restarting).rejects.toThrow();
  });
});
