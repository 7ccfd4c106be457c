// SPDX-License-Identifier: Apache-2.0
import { Failure } from '../../../shared/failure.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Installer, Slot } from '../installer.ts';
import type { Effect, EffectOf, EffectType } from '../life/effect.ts';
import type { SlotReference } from '../life/state.ts';
import type { BootLog, ClockSynchronised, CurrentBoot, Delivery, Gate, Reboot, TrialMarks } from '../ports.ts';
import type { EffectRunner, Emit, NewEvent } from '../updater.ts';
import { untilClockIsSet } from './clock-patience.ts';
import { followInstall, requireWritten } from './install-watch.ts';
import { patiently } from './patience.ts';
import { awaitWindow } from './window.ts';

export interface EffectPorts {
  readonly installer: Installer;
  readonly delivery: Delivery;
  readonly reboot: Reboot;
  readonly marks: TrialMarks;
  readonly gate: Gate;
  readonly bootLog: BootLog;
  readonly boot: CurrentBoot;
  readonly clock: Clock;
  readonly clockSynchronised: ClockSynchronised;
  readonly clockPatienceMs: number;
  /** Whether a version was rolled back on this node before. */
  readonly failedHere: (version: string) => boolean;
  /** IMAGE_VERSION of the booted image. */
  readonly runningVersion: string;
  /** What the device of a slot holds; undefined where nobody can tell. */
  readonly deviceSizeBytes: (device: string) => Promise<number | undefined>;
}

type Runner<T extends EffectType> = (
  ports: EffectPorts,
  effect: EffectOf<T>,
  emit: Emit,
  signal: AbortSignal,
) => Promise<NewEvent | undefined>;

/** Carries out the effects of the life of an update through its ports. */
export const effectRunner =
  (ports: EffectPorts): EffectRunner =>
  (effect: Effect, emit, signal) =>
    (RUNNERS[effect.type] as Runner<EffectType>)(ports, effect, emit, signal);

/** What reads a bundle for the installer knows better than the installer why it could not be read. */
function explained<T extends EffectType>(run: Runner<T>): Runner<T> {
  return async (ports, effect, emit, signal) => {
    try {
      return await run(ports, effect, emit, signal);
    } catch (error) {
      throw ports.delivery.whyUnread() ?? error;
    }
  };
}

const RUNNERS: { readonly [T in EffectType]: Runner<T> } = {
  'await-window': async (ports, { window }, emit, signal) => {
    emit({ type: 'window-planned', opensAtMs: null });
    await awaitWindow(window, ports, (opensAtMs) => emit({ type: 'window-planned', opensAtMs }), signal);
    return { type: 'window-opened' };
  },

  deliver: async (ports, { operation }, _emit, signal) => ({
    type: 'bundle-delivered',
    location: await untilClockIsSet(ports, signal, () => ports.delivery.deliver(operation, signal)),
  }),

  inspect: explained(async (ports, { location }, _emit, signal) => {
    const { installer, boot, failedHere, runningVersion, deviceSizeBytes, clock } = ports;
    const slots = await patiently(clock, signal, () => installer.slots(signal));
    const bundle = await untilClockIsSet(ports, signal, () => patiently(clock, signal, () => installer.inspect(location, signal)));
    const source = theSlot(slots, (slot) => slot.bootname === boot.bootname, `with the bootname "${boot.bootname}" of this boot`);
    const target = theSlot(slots, (slot) => slot.bootname !== boot.bootname, 'that is not the booted one');
    return {
      type: 'inspected',
      bundle,
      nodeCompatible: await patiently(clock, signal, () => installer.compatible(signal)),
      failedHere: failedHere(bundle.version),
      sourceSlot: reference(source),
      targetSlot: reference(target),
      bootId: boot.bootId,
      runningVersion,
      targetSlots: await Promise.all(
        target.group.map(async ({ name, slotClass, device }) => ({ name, slotClass, sizeBytes: await deviceSizeBytes(device) })),
      ),
    };
  }),

  install: explained(async (ports, { location, ...written }, emit, signal) => {
    const { operationId: transactionId, manifestHash } = written;
    const begin = () => ports.installer.install({ location, transactionId, ...(manifestHash && { manifestHash }) }, signal);
    await followInstall(ports, written, begin, emit, signal);
    return { type: 'install-completed' };
  }),

  'rejoin-install': async (ports, written, emit, signal) => {
    await patiently(ports.clock, signal, () => followInstall(ports, written, undefined, emit, signal));
    return { type: 'install-completed' };
  },

  'verify-slot': async ({ installer, clock }, written, _emit, signal) => {
    requireWritten(await patiently(clock, signal, () => installer.slots(signal)), written);
    return { type: 'slot-verified' };
  },

  activate: async ({ installer, marks, clock }, { operationId, targetSlot, bootId }, _emit, signal) => {
    await marks.arm(operationId, targetSlot.bootname, bootId);
    await patiently(clock, signal, () => installer.activate(targetSlot.name, signal));
    return { type: 'activated' };
  },

  reboot: async (ports, { delayMs, window }, _emit, signal) => {
    await ports.clock.sleep(delayMs, signal);
    if (window !== '') await awaitWindow(window, ports, () => {}, signal);
    await ports.reboot(signal);
    return undefined;
  },

  'confirm-target': async ({ installer, clock }, { targetSlot, version }, _emit, signal) => {
    const slots = await patiently(clock, signal, () => installer.slots(signal));
    const target = theSlot(slots, (slot) => slot.name === targetSlot.name, `named "${targetSlot.name}"`);
    if (!target.booted || target.status !== 'ok' || target.version !== version) {
      const found = `it is ${target.booted ? '' : 'not '}booted, its status is "${target.status}" and its version "${target.version}"`;
      throw new Failure('INSTALL_FAILED', `Cannot try ${version} in slot "${targetSlot.name}": ${found}`);
    }
    return { type: 'target-confirmed' };
  },

  'run-gate': async ({ gate }, _effect, emit, signal) => {
    const decision = await gate((check) => emit({ type: 'check-finished', check }), signal);
    if (decision.passed) return { type: 'gate-passed' };
    const { code, message, failedChecks } = decision;
    return { type: 'gate-failed', code, message, failedChecks };
  },

  commit: async ({ installer, marks, clock }, { targetSlot }, _emit, signal) => {
    await patiently(clock, signal, () => installer.markGood(targetSlot.name, signal));
    await marks.committed();
    await marks.disarm();
    await marks.gate('passed');
    return { type: 'marked-good' };
  },

  'restore-source': async ({ installer, marks, clock, boot }, { sourceSlot, targetSlot, delayMs }, _emit, signal) => {
    await clock.sleep(delayMs, signal);
    await installer.markBad(targetSlot.name, signal);
    await installer.activate(sourceSlot.name, signal);
    // To activate is to put on trial; the slot that runs, and was committed once, needs none.
    if (boot.bootname === sourceSlot.bootname) await installer.markGood(sourceSlot.name, signal);
    await marks.disarm();
    return { type: 'source-restored' };
  },

  'read-boot-log': async ({ bootLog }, { bootId }, _emit, signal) => ({ type: 'boot-log-read', log: await bootLog(bootId, signal) }),

  'clean-up': async ({ delivery, marks }, { operationId, keepBundle }) => {
    await delivery.end(operationId, keepBundle);
    await marks.disarm();
    return undefined;
  },
};

const reference = ({ name, bootname }: Slot): SlotReference => ({ name, bootname });

function theSlot(slots: readonly Slot[], wanted: (slot: Slot) => boolean, which: string): Slot {
  const [slot, another] = slots.filter(wanted);
  if (slot && !another) return slot;
  const found = slots.map(({ name, bootname }) => `${name} (${bootname})`).join(', ') || 'none';
  throw new Failure('RAUC_REFUSED', `Cannot find one slot ${which}: RAUC knows ${found}`);
}
