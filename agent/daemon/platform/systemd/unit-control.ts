// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Unit, Units } from '../../node/units.ts';
import type { Clock } from '../../timing/clock.ts';
import { BusError } from '../dbus/bus-error.ts';
import { type Ask, findUnit, type KnownUnit, RESTART_UNIT, unitsLike } from './units.ts';

/** polkit has to be started and read its rules. */
const ANSWER_TIMEOUT_MS = 60_000;
/** TimeoutStopSec= and TimeoutStartSec= are 90 s each unless a unit says otherwise. */
const RESTART_TIMEOUT_MS = 200_000;
const LOOK_EVERY_MS = 200;

/** org.freedesktop.systemd1(5), "Security", and sd-bus-errors(3). */
const REFUSED = new Set([
  'org.freedesktop.DBus.Error.AccessDenied',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired',
  'org.freedesktop.PolicyKit1.Error.NotAuthorized',
]);

/** The units of systemd, over the bus. What may be restarted is up to polkit, too. */
export function systemdUnits(bus: Ask, clock: Clock): Units {
  return {
    async list({ states, patterns }, signal) {
      const units = await unitsLike(bus, states, patterns, signal);
      return units.map(plain).sort((a, b) => (a.name < b.name ? -1 : 1));
    },

    async restart(name, signal) {
      const before = await findUnit(bus, name, signal);
      if (before.loadState === 'not-found') throw new Failure('UNIT_NOT_FOUND', `Cannot restart "${name}": systemd knows no such unit`);
      await orderRestart(bus, name, signal);
      const after = await settled(bus, name, clock, signal);
      // A service that ran once and ended well is inactive again.
      if (after.activeState === 'active' || after.activeState === 'reloading' || after.activeState === 'inactive') return plain(after);
      throw new Failure('UNIT_FAILED', `Cannot restart "${name}": it is ${after.activeState} (${after.subState}) now`, { unit: name });
    },
  };
}

const plain = ({ name, description, loadState, activeState, subState }: KnownUnit): Unit => {
  return { name, description, loadState, activeState, subState };
};

async function orderRestart(bus: Ask, name: string, signal: AbortSignal): Promise<void> {
  try {
    await bus.call({ ...RESTART_UNIT, body: [name, 'replace'] }, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
  } catch (thrown) {
    if (!(thrown instanceof BusError)) throw thrown;
    const code = REFUSED.has(thrown.errorName) ? 'RESTART_NOT_ALLOWED' : 'UNIT_FAILED';
    throw new Failure(code, `Cannot restart "${name}": ${thrown.message}`, { unit: name }, { cause: thrown });
  }
}

/** The unit, once systemd has no job for it any more. */
async function settled(bus: Ask, name: string, clock: Clock, signal: AbortSignal): Promise<KnownUnit> {
  const endMs = clock.monotonicMs() + RESTART_TIMEOUT_MS;
  for (;;) {
    const unit = await findUnit(bus, name, signal);
    if (unit.jobId === 0) return unit;
    if (clock.monotonicMs() >= endMs) {
      throw new Failure('UNIT_FAILED', `Cannot restart "${name}": it is still ${unit.activeState} (${unit.subState})`, { unit: name });
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
