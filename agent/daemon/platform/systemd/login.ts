// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Reboot } from '../../update/ports.ts';
import { BusError } from '../dbus/bus-error.ts';
import { BUS } from '../dbus/message-types.ts';
import type { SystemBus } from '../dbus/system-bus.ts';
import { RESTART_UNIT } from './units.ts';

/** org.freedesktop.login1(5). */
const REBOOT = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
  member: 'Reboot',
  signature: 'b',
  // Not interactive: nobody is there whom polkit could ask.
  body: [false],
} as const;
/** polkit has to be started and read its rules, on a node that may be busy with what made the reboot necessary. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Reboots through logind, which lets every unit stop in order. Fails with REBOOT_REFUSED when logind or polkit says no. */
export function rebootThroughLogin(bus: Pick<SystemBus, 'call'>): Reboot {
  return async (signal) => {
    try {
      if (!(await isOnBus(bus, signal))) await restartLogin(bus, signal);
      await bus.call(REBOOT, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
    } catch (thrown) {
      if (!(thrown instanceof BusError)) throw thrown;
      throw new Failure('REBOOT_REFUSED', `Cannot reboot the node: ${thrown.message}`, {}, { cause: thrown });
    }
  };
}

async function isOnBus(bus: Pick<SystemBus, 'call'>, signal: AbortSignal): Promise<boolean> {
  const question = { ...BUS, member: 'NameHasOwner', signature: 's', body: [REBOOT.destination] };
  const [answer] = await bus.call(question, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
  return answer === true;
}

/** After a restart of the bus logind runs on, and never comes back to it: the bus would wait for it in vain. */
async function restartLogin(bus: Pick<SystemBus, 'call'>, signal: AbortSignal): Promise<void> {
  try {
    await bus.call({ ...RESTART_UNIT, body: ['systemd-logind.service', 'replace'] }, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
  } catch (thrown) {
    // Where this is not allowed, logind itself is still asked, and its answer is the one that counts.
    if (!(thrown instanceof BusError)) throw thrown;
  }
}
