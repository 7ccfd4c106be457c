// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot';
import { Failure } from '../../../shared/failure.ts';
import type { Unit } from '../../node/units.ts';
import { BusError } from '../dbus/bus-error.ts';
import type { MethodCall } from '../dbus/message-types.ts';
import type { SystemBus } from '../dbus/system-bus.ts';

export type Ask = Pick<SystemBus, 'call' | 'getProperties'>;

const MANAGER = {
  destination: 'org.freedesktop.systemd1',
  path: '/org/freedesktop/systemd1',
  interface: 'org.freedesktop.systemd1.Manager',
} as const;
/** A probe's own deadline is shorter as a rule. */
export const ANSWER_TIMEOUT_MS = 30_000;

/** A restart; its arguments are the unit's name and what becomes of other jobs for it. */
export const RESTART_UNIT = { ...MANAGER, member: 'RestartUnit', signature: 'ss' } as const;

export interface KnownUnit extends Unit {
  /** Its object on the bus. */
  readonly path: string;
  /** What systemd is about to do with it; 0 for nothing. */
  readonly jobId: number;
}

/** org.freedesktop.systemd1(5): a(ssssssouso): name, description, load, active and sub state, followed unit, path, job. */
const UnitsSchema = v.array(
  v.pipe(
    v.tupleWithRest([v.string(), v.string(), v.string(), v.string(), v.string(), v.string(), v.string(), v.number()], v.unknown()),
    v.transform(([name, description, loadState, activeState, subState, , path, jobId]): KnownUnit => {
      return { name, description, loadState, activeState, subState, path, jobId };
    }),
  ),
);

/** One unit; one that nobody knows is "not-found" and inactive. */
export async function findUnit(bus: Ask, name: string, signal: AbortSignal): Promise<KnownUnit> {
  const [unit] = await listUnits(bus, { ...MANAGER, member: 'ListUnitsByNames', signature: 'as', body: [[name]] }, signal);
  if (unit) return unit;
  throw new Failure('INTERNAL', `Cannot ask for unit "${name}": systemd answered with no unit at all`);
}

export function failedUnits(bus: Ask, signal: AbortSignal): Promise<KnownUnit[]> {
  return listUnits(bus, { ...MANAGER, member: 'ListUnitsFiltered', signature: 'as', body: [['failed']] }, signal);
}

/** The units that are in one of these states, with a name like one of these patterns; none of either means all. */
export function unitsLike(bus: Ask, states: readonly string[], patterns: readonly string[], signal: AbortSignal): Promise<KnownUnit[]> {
  return listUnits(bus, { ...MANAGER, member: 'ListUnitsByPatterns', signature: 'asas', body: [states, patterns] }, signal);
}

/** The options under which a mount unit is mounted at present, for example rw,nosuid. */
export interface Mount {
  /** The file system's, for example ext4. */
  readonly type: string;
  readonly options: readonly string[];
}

export async function readMount(bus: Ask, unit: KnownUnit, signal: AbortSignal): Promise<Mount> {
  const mount = { ...MANAGER, path: unit.path, interface: 'org.freedesktop.systemd1.Mount' };
  const { Options, Type } = await asked(`ask for the options of "${unit.name}"`, () =>
    bus.getProperties(mount, { timeoutMs: ANSWER_TIMEOUT_MS, signal }),
  );
  if (typeof Options === 'string' && typeof Type === 'string') return { type: Type, options: Options.split(',') };
  throw new Failure('INTERNAL', `Cannot ask for the options of "${unit.name}": systemd gave none`);
}

async function listUnits(bus: Ask, call: MethodCall, signal: AbortSignal): Promise<KnownUnit[]> {
  const [answer] = await asked('ask systemd for units', () => bus.call(call, { timeoutMs: ANSWER_TIMEOUT_MS, signal }));
  const units = v.safeParse(UnitsSchema, answer);
  if (units.success) return units.output;
  throw new Failure('INTERNAL', `Cannot ask systemd for units: its answer cannot be read: ${units.issues[0].message}`);
}

/** Lets a refusal of the bus be a Failure with a sentence. */
export async function asked<T>(purpose: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof BusError) throw new Failure('INTERNAL', `Cannot ${purpose}: ${thrown.message}`, {}, { cause: thrown });
    throw thrown;
  }
}
