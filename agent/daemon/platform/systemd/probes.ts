// SPDX-License-Identifier: Apache-2.0
import type { Probes } from '../../health/probe.ts';
import { askSynchronised } from './time-synchronisation.ts';
import { mountUnitOf } from './unit-name.ts';
import { type Ask, failedUnits, findUnit, readMount } from './units.ts';

type SystemdProbes = Pick<Probes, 'unit-active' | 'no-failed-units' | 'mount-writable' | 'clock-synchronised'>;

const NAMED_UNITS = 10;
const VOLATILE: ReadonlySet<string> = new Set(['tmpfs', 'ramfs']);

/** The probes that ask systemd, which sees the whole node while the agent sees what its sandbox lets it see. */
export function systemdProbes(bus: Ask): SystemdProbes {
  return {
    'unit-active': async ({ unit: name }, signal) => {
      const unit = await findUnit(bus, name, signal);
      const holds = unit.activeState === 'active' || unit.activeState === 'reloading';
      return { holds, detail: `unit "${name}" is ${describe(unit)}` };
    },

    'no-failed-units': async ({ except }, signal) => {
      const failed = (await failedUnits(bus, signal)).map(({ name }) => name).filter((name) => !except.includes(name));
      if (failed.length === 0) return { holds: true, detail: 'no unit has failed' };
      const more = failed.length > NAMED_UNITS ? ` and ${failed.length - NAMED_UNITS} more` : '';
      return { holds: false, detail: `failed: ${failed.sort().slice(0, NAMED_UNITS).join(', ')}${more}` };
    },

    'mount-writable': async ({ path, persistent }, signal) => {
      const unit = await findUnit(bus, mountUnitOf(path), signal);
      if (unit.activeState !== 'active')
        return { holds: false, detail: `"${path}" is not mounted: unit "${unit.name}" is ${describe(unit)}` };
      const { type, options } = await readMount(bus, unit, signal);
      if (persistent && VOLATILE.has(type)) return { holds: false, detail: `"${path}" is a ${type}, which forgets everything at a reboot` };
      const holds = options.includes('rw');
      return { holds, detail: `"${path}" is mounted ${holds ? 'writable' : 'read-only'}` };
    },

    'clock-synchronised': async (_condition, signal) => {
      const holds = await askSynchronised(bus, signal);
      return { holds, detail: `the clock is ${holds ? '' : 'not '}synchronised` };
    },
  };
}

function describe({ loadState, activeState, subState }: { loadState: string; activeState: string; subState: string }): string {
  if (loadState !== 'loaded') return loadState;
  return activeState === subState ? activeState : `${activeState} (${subState})`;
}
