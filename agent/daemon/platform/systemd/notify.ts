// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../../timing/clock.ts';
import { handedOver } from './handed-over.ts';

/** The name that the unit gives the socket: OpenFile=/run/systemd/notify:sdnotify. */
const DESCRIPTOR_NAME = 'sdnotify';

export interface ServiceManagerOptions {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Sends one datagram. */
  readonly write?: (descriptor: number, text: string) => void;
}

/**
 * Tells systemd how the agent is, sd_notify(3), without native code: systemd opens and connects its own notification socket
 * for the service (OpenFile=, systemd 253), and a write is a datagram. Where it did not, nothing is sent.
 */
export class ServiceManager {
  readonly #options: ServiceManagerOptions;
  readonly #descriptor: number | undefined;
  readonly #watchdogMs: number | undefined;

  constructor(options: ServiceManagerOptions) {
    this.#options = options;
    this.#descriptor = handedOver(options.env, DESCRIPTOR_NAME);
    this.#watchdogMs = findWatchdog(options.env);
    if (this.#descriptor === undefined) options.log.info('No service manager wants to hear of the agent: no socket was handed over');
  }

  /** Says that the agent serves, and from then on, if asked to, that it lives, until the signal. */
  ready(signal: AbortSignal): void {
    this.#send('READY=1');
    if (this.#watchdogMs !== undefined && this.#descriptor !== undefined) void this.#keepAlive(this.#watchdogMs / 2, signal);
  }

  /** One line that "systemctl status" shows. */
  status(text: string): void {
    this.#send(`STATUS=${text.replaceAll('\n', ' ')}`);
  }

  stopping(): void {
    this.#send('STOPPING=1');
  }

  async #keepAlive(periodMs: number, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        this.#send('WATCHDOG=1');
        await this.#options.clock.sleep(periodMs, signal);
      }
    } catch (thrown) {
      // Without a sign of life systemd ends the agent, which is right when its clock does not work.
      if (!signal.aborted) this.#options.log.warn({ err: thrown }, 'The watchdog is not fed any more');
    }
  }

  #send(state: string): void {
    if (this.#descriptor === undefined) return;
    try {
      (this.#options.write ?? writeSync)(this.#descriptor, state);
    } catch (thrown) {
      this.#options.log.warn({ err: thrown, state }, 'Could not tell the service manager');
    }
  }
}

/** sd_watchdog_enabled(3): the longest silence that systemd takes for life, in milliseconds. */
function findWatchdog(env: ServiceManagerOptions['env']): number | undefined {
  const forUs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(process.pid);
  const periodUs = Number(env.WATCHDOG_USEC);
  return forUs && periodUs > 0 ? periodUs / 1000 : undefined;
}
