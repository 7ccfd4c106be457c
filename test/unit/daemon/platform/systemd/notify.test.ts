// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, vi } from 'vitest';
import { ServiceManager } from '../../../../../agent/daemon/platform/systemd/notify.ts';
import type { Clock } from '../../../../../agent/daemon/timing/clock.ts';

const pid = String(process.pid);
const handed = { LISTEN_PID: pid, LISTEN_FDNAMES: 'audit:sdnotify' };

/** Sleeps until it is told to wake up. */
class FakeClock implements Clock {
  readonly asleepMs: number[] = [];
  #wake = () => {};

  now = () => new Date(0);
  monotonicMs = () => 0;

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    this.asleepMs.push(durationMs);
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  async wake(): Promise<void> {
    this.#wake();
    await vi.waitFor(() => {});
  }
}

function manager(env: Record<string, string>, write = (_: number, __: string): void => {}) {
  const clock = new FakeClock();
  const sent: string[] = [];
  const said: string[] = [];
  const note = (_: unknown, sentence?: string) => void said.push(sentence ?? String(_));
  const service = new ServiceManager({
    clock,
    log: { info: note, warn: note },
    env,
    write(descriptor, text) {
      write(descriptor, text);
      sent.push(`${descriptor} ${text}`);
    },
  });
  return { service, clock, sent, said };
}

describe('the service manager', () => {
  it('hears through the descriptor that it named', () => {
    const { service, sent, said } = manager(handed);
    service.ready(new AbortController().signal);
    service.status('two\nlines');
    service.stopping();
    expect(sent).toEqual(['4 READY=1', '4 STATUS=two lines', '4 STOPPING=1']);
    expect(said).toEqual([]);
  });

  it.each([
    ['nothing was handed over', {}],
    ['it was handed over to another process', { ...handed, LISTEN_PID: '1' }],
    ['it has another name', { ...handed, LISTEN_FDNAMES: 'audit' }],
  ])('hears nothing when %s, which is said', (_, env) => {
    const { service, sent, said } = manager({ ...env, WATCHDOG_USEC: '1000000' });
    service.ready(new AbortController().signal);
    service.stopping();
    expect(sent).toEqual([]);
    expect(said).toEqual(['No service manager wants to hear of the agent: no socket was handed over']);
  });

  it('is given a sign of life twice in the time that it allows, until the end', async () => {
    const { service, clock, sent } = manager({ ...handed, WATCHDOG_USEC: '30000000', WATCHDOG_PID: pid });
    const end = new AbortController();
    service.ready(end.signal);
    await clock.wake();
    await clock.wake();
    end.abort();
    await clock.wake();
    expect(sent).toEqual(['4 READY=1', '4 WATCHDOG=1', '4 WATCHDOG=1', '4 WATCHDOG=1']);
    expect(clock.asleepMs).toEqual([15_000, 15_000, 15_000]);
  });

  it('is given no sign of life that it does not ask this process for', () => {
    const { service, sent } = manager({ ...handed, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' });
    service.ready(new AbortController().signal);
    expect(sent).toEqual(['4 READY=1']);
  });

  it('that cannot be reached is a warning, not an end', () => {
    const { service, said } = manager(handed, () => {
      throw new Error('ECONNREFUSED');
    });
    service.stopping();
    expect(said).toEqual(['Could not tell the service manager']);
  });
});
