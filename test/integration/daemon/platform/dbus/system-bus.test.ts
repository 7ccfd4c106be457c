// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { BusError } from '../../../../../agent/daemon/platform/dbus/bus-error.ts';
import type { Signal } from '../../../../../agent/daemon/platform/dbus/message-types.ts';
import { type BusState, SystemBus } from '../../../../../agent/daemon/platform/dbus/system-bus.ts';
import { Variant } from '../../../../../agent/daemon/platform/dbus/variant.ts';
import { FakeService, type Method } from '../../../fakes/fake-service.ts';
import { PrivateBus } from '../../../fakes/private-bus.ts';

const NAME = 'org.lamadist.test.Oracle';
const ORACLE = { destination: NAME, path: '/', interface: NAME } as const;
const NEWS = { sender: NAME, interface: NAME, member: 'News' } as const;
vi.setConfig({ testTimeout: 30_000 });
const SOON = { timeout: 10_000 };

interface Problem {
  readonly problem: unknown;
  readonly doing: string;
}

let daemon: PrivateBus;
let problems: Problem[];

beforeEach(async () => {
  daemon = await PrivateBus.create();
  problems = [];
});
afterEach(() => daemon.dispose());

async function connect(): Promise<SystemBus> {
  const bus = new SystemBus({ address: daemon.address, random: () => 0, report: (problem, doing) => problems.push({ problem, doing }) });
  onTestFinished(() => bus.close());
  bus.start();
  await bus.ready(AbortSignal.timeout(10_000));
  return bus;
}

async function oracle(methods: Record<string, Method> = {}): Promise<FakeService> {
  const service = await FakeService.start(daemon.address, NAME, methods);
  onTestFinished(() => service.stop());
  return service;
}

const silent: Record<string, Method> = { Ask: () => 'silence' };
const tell = (service: FakeService, news: string) => service.emit('/', NAME, 'News', 's', [news]);
const bodies = (signals: Signal[]) => signals.map((signal) => signal.body[0]);

describe('a call', () => {
  it('brings back plain values, 64-bit numbers as bigint', async () => {
    await oracle({
      Ask: () => ({
        signature: 'a(sa{sv})t',
        body: [
          [
            [
              'rootfs.0',
              { size: new Variant('t', 2n ** 40n), inner: new Variant('a{sv}', { deep: new Variant('v', new Variant('s', 'x')) }) },
            ],
          ],
          7n,
        ],
      }),
    });
    const bus = await connect();
    expect(await bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 5000 })).toEqual([
      [['rootfs.0', { size: 2n ** 40n, inner: { deep: 'x' } }]],
      7n,
    ]);
  });

  it('sends its arguments', async () => {
    const heard: unknown[] = [];
    await oracle({
      Ask: (body) => {
        heard.push(...body);
        return { signature: '', body: [] };
      },
    });
    const bus = await connect();
    await bus.call({ ...ORACLE, member: 'Ask', signature: 'sa{sv}', body: ['a', { k: new Variant('b', true) }] }, { timeoutMs: 5000 });
    expect(heard).toEqual(['a', { k: new Variant('b', true) }]);
  });

  it('fails with the name and text of the error that the service replied', async () => {
    await oracle({ Ask: () => ({ error: 'org.lamadist.test.No', text: 'not today' }) });
    const bus = await connect();
    const failure = bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 5000 });
    await expect(failure).rejects.toBeInstanceOf(BusError);
    await expect(failure).rejects.toMatchObject({ errorName: 'org.lamadist.test.No', text: 'not today' });
  });

  it('fails when the service is not there', async () => {
    const bus = await connect();
    await expect(bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 5000 })).rejects.toMatchObject({
      errorName: 'org.freedesktop.DBus.Error.ServiceUnknown',
    });
  });

  it('ends by its own deadline when the service never answers', async () => {
    await oracle(silent);
    const bus = await connect();
    await expect(bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: `Cannot call ${NAME}.Ask: no answer within 50 ms`,
    });
  });

  it('ends when the caller aborts it, before or after it was sent', async () => {
    await oracle(silent);
    const bus = await connect();
    await expect(bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 5000, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    const abort = new AbortController();
    const call = bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 5000, signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('fails when the service leaves without an answer', async () => {
    const service = await oracle(silent);
    const bus = await connect();
    const call = bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 10_000 });
    await sleep(50);
    service.stop();
    await expect(call).rejects.toMatchObject({ errorName: 'org.freedesktop.DBus.Error.NoReply' });
  });

  it('fails when the bus is killed under it, and works again after the bus came back', async () => {
    await oracle(silent);
    const bus = await connect();
    const call = bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 60_000 });
    const failed = expect(call).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
    await sleep(50);
    await daemon.restart();
    await failed;
    await oracle({ Ask: () => ({ signature: 's', body: ['42'] }) });
    await bus.ready(AbortSignal.timeout(10_000));
    expect(await bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 5000 })).toEqual(['42']);
  });

  it('fails at once while there is no bus', async () => {
    const bus = await connect();
    await daemon.kill();
    await vi.waitFor(() => expect(bus.state.connected).toBe(false), SOON);
    await expect(bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
  });

  it('fails when its arguments do not fit its signature', async () => {
    await oracle();
    const bus = await connect();
    await expect(bus.call({ ...ORACLE, member: 'Ask', signature: 'a{sv}', body: [3] }, { timeoutMs: 5000 })).rejects.toThrow();
    expect(bus.state.connected).toBe(true);
  });

  it('is refused an answer beyond the size limit, and the bus is connected anew', async () => {
    await oracle({ Ask: () => ({ signature: 's', body: ['x'.repeat(5 << 20)] }) });
    const bus = await connect();
    const states: BusState[] = [];
    bus.onStateChange((state) => states.push(state));
    await expect(bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 20_000 })).rejects.toMatchObject({
      code: 'BUS_UNAVAILABLE',
      message: expect.stringContaining('the limit is 4194304'),
    });
    await vi.waitFor(() => expect(states.at(-1)).toEqual({ connected: true }), SOON);
  });
});

describe('properties', () => {
  it('are read by name', async () => {
    await oracle({
      GetAll: ([interfaceName]) => ({
        signature: 'a{sv}',
        body: [{ Operation: new Variant('s', 'idle'), Of: new Variant('s', interfaceName) }],
      }),
    });
    const bus = await connect();
    expect(await bus.getProperties(ORACLE, { timeoutMs: 5000 })).toEqual({ Operation: 'idle', Of: NAME });
  });
});

describe('a subscription', () => {
  it('hears of the signals that it asked for and of no others', async () => {
    const service = await oracle();
    const bus = await connect();
    const heard: Signal[] = [];
    bus.subscribe({ ...NEWS, path: '/here' }, (signal) => void heard.push(signal));
    await bus.call({ ...ORACLE, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' }, { timeoutMs: 5000 });
    service.emit('/there', NAME, 'News', 's', ['wrong path']);
    service.emit('/here', NAME, 'Gossip', 's', ['wrong member']);
    service.emit('/here', NAME, 'News', 's', ['right']);
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['right']), SOON);
  });

  it('does not believe another process that sends the same signal', async () => {
    const service = await oracle();
    const bus = await connect();
    const heard: Signal[] = [];
    bus.subscribe(NEWS, (signal) => void heard.push(signal));
    const [us] = await new Promise<[string]>((resolve) => {
      service.methods.set('WhoAmI', (_, message) => {
        resolve([message.sender]);
        return { signature: '', body: [] };
      });
      void bus.call({ ...ORACLE, member: 'WhoAmI' }, { timeoutMs: 5000 });
    });
    const liar = await FakeService.start(daemon.address, 'org.lamadist.test.Liar');
    onTestFinished(() => liar.stop());
    liar.emitTo(us, '/', NAME, 'News', 's', ['a lie']);
    await sleep(50);
    tell(service, 'the truth');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['the truth']), SOON);
  });

  it('still hears after the service was restarted', async () => {
    const first = await oracle();
    const bus = await connect();
    const heard: Signal[] = [];
    bus.subscribe(NEWS, (signal) => void heard.push(signal));
    tell(first, 'one');
    await vi.waitFor(() => expect(heard).toHaveLength(1), SOON);
    first.stop();
    const second = await oracle();
    tell(second, 'two');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['one', 'two']), SOON);
    expect(heard[0]?.sender).not.toBe(heard[1]?.sender);
  });

  it('that was made before the service came hears its first signal', async () => {
    const bus = await connect();
    const heard: Signal[] = [];
    bus.subscribe(NEWS, (signal) => void heard.push(signal));
    tell(await oracle(), 'first words');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['first words']), SOON);
  });

  it('hears again after the bus was killed and came back', async () => {
    const first = await oracle();
    const bus = await connect();
    const heard: Signal[] = [];
    bus.subscribe(NEWS, (signal) => void heard.push(signal));
    tell(first, 'one');
    await vi.waitFor(() => expect(heard).toHaveLength(1), SOON);
    await daemon.restart();
    await bus.ready(AbortSignal.timeout(10_000));
    tell(await oracle(), 'two');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['one', 'two']), SOON);
  });

  it('that was made while there was no bus hears once there is one', async () => {
    const bus = await connect();
    await daemon.kill();
    await vi.waitFor(() => expect(bus.state.connected).toBe(false), SOON);
    const heard: Signal[] = [];
    bus.subscribe(NEWS, (signal) => void heard.push(signal));
    await daemon.start();
    await bus.ready(AbortSignal.timeout(20_000));
    tell(await oracle(), 'at last');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['at last']), SOON);
  });

  it('reports what its handler throws, now or later, and goes on', async () => {
    const service = await oracle();
    const bus = await connect();
    const heard: Signal[] = [];
    bus.subscribe(NEWS, () => {
      throw new Error('thrown');
    });
    bus.subscribe(NEWS, async () => Promise.reject(new Error('rejected')));
    bus.subscribe(NEWS, (signal) => void heard.push(signal));
    tell(service, 'one');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['one']), SOON);
    await vi.waitFor(() => expect(problems.map(({ problem }) => (problem as Error).message).sort()).toEqual(['rejected', 'thrown']), SOON);
    expect(problems[0]?.doing).toBe(`handling the signal ${NAME}.News`);
    tell(service, 'two');
    await vi.waitFor(() => expect(bodies(heard)).toEqual(['one', 'two']), SOON);
  });

  it('leaves no match rule behind, however often it is made and ended', async () => {
    const bus = await connect();
    const rules = await matchRules(bus);
    for (let round = 0; round < 600; round += 1) {
      const stops = [
        bus.subscribe({ ...NEWS, arg0: String(round) }, () => {}),
        bus.subscribe(NEWS, () => {}),
        bus.onOwnerChange(NAME, () => {}),
      ];
      for (const stop of stops) stop();
      for (const stop of stops) stop();
      if (round % 50 === 0) await matchRules(bus);
    }
    expect(await matchRules(bus)).toBe(rules);
    expect(problems).toEqual([]);
  });

  it('shares its match rule with others that ask for the same', async () => {
    const service = await oracle();
    const bus = await connect();
    const rules = await matchRules(bus);
    const heard: string[] = [];
    const stopFirst = bus.subscribe(NEWS, () => void heard.push('first'));
    bus.subscribe(NEWS, () => void heard.push('second'));
    expect(await matchRules(bus)).toBe(rules + 2);
    stopFirst();
    tell(service, 'one');
    await vi.waitFor(() => expect(heard).toEqual(['second']), SOON);
  });
});

describe('the owner of a name', () => {
  it('is reported when it comes, goes, and is found again on a new bus', async () => {
    const bus = await connect();
    const owners: (string | undefined)[] = [];
    bus.onOwnerChange(NAME, (owner) => void owners.push(owner));
    await vi.waitFor(() => expect(owners).toEqual([undefined]), SOON);
    const service = await oracle();
    await vi.waitFor(() => expect(owners).toEqual([undefined, expect.stringMatching(/^:/)]), SOON);
    service.stop();
    await vi.waitFor(() => expect(owners).toHaveLength(3), SOON);
    expect(owners[2]).toBeUndefined();
    await daemon.restart();
    await vi.waitFor(() => expect(owners).toHaveLength(4), SOON);
    expect(owners[3]).toBeUndefined();
  });
});

describe('the bus', () => {
  it('reports that it was lost and found', async () => {
    const bus = await connect();
    const states: BusState[] = [];
    bus.onStateChange((state) => states.push(state));
    await daemon.restart();
    await vi.waitFor(() => expect(states.at(-1)).toEqual({ connected: true }), SOON);
    expect(states[0]).toMatchObject({ connected: false, reason: expect.any(String) });
  });

  it('is waited for no longer than the caller wants', async () => {
    await daemon.kill();
    const bus = new SystemBus({ address: daemon.address, random: () => 0, report: () => {} });
    onTestFinished(() => bus.close());
    bus.start();
    await expect(bus.ready(AbortSignal.timeout(100))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
  });

  it('is closed at once, even when the daemon has stopped answering', async () => {
    await oracle(silent);
    const bus = await connect();
    daemon.freeze();
    const call = bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 60_000 });
    const failed = expect(call).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
    bus.close();
    await failed;
    await expect(bus.ready(AbortSignal.timeout(10_000))).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
    await expect(bus.call({ ...ORACLE, member: 'Ask' }, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE' });
  });

  it('is never one on a network', () => {
    const open = () => new SystemBus({ address: 'tcp:host=192.0.2.1,port=1', random: () => 0, report: () => {} });
    expect(open).toThrow('Cannot use the bus "tcp:host=192.0.2.1,port=1": it is not the address of a Unix socket');
  });
});

/** How many match rules the daemon keeps, for all its connections together; the fakes need none. */
async function matchRules(bus: SystemBus): Promise<number> {
  const daemonItself = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
  const [names] = await bus.call({ ...daemonItself, member: 'ListNames' }, { timeoutMs: 5000 });
  const stats = { ...daemonItself, interface: 'org.freedesktop.DBus.Debug.Stats', member: 'GetConnectionStats', signature: 's' };
  const counts = (names as string[])
    .filter((name) => name.startsWith(':'))
    .map(async (name) => {
      const [found] = await bus.call({ ...stats, body: [name] }, { timeoutMs: 5000 });
      return (found as { MatchRules: number }).MatchRules;
    });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
